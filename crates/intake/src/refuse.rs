//! Refusing a submission without hiding what it may hold: it goes into quarantine, and a danger sign in it pages.

use lasegue_contracts::event::Lane;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{Draft, Fault, danger_signs, parse_submission};
use sea_orm::ActiveValue::Set;
use sea_orm::TryInsertResult;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::document::Refs;
use crate::error::IntakeError;
use crate::json;
use crate::messages;
use crate::store::refusals::Reason;
use crate::store::{episodes, refusals};

/// A submission that is refused, and why.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) of: Of,
    pub(crate) key: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) faults: Vec<Fault>,
}

/// Whose submission it is.
#[derive(Clone, Debug)]
pub(crate) enum Of {
    /// The episode named in the request, be it registered or not.
    Episode(Uuid),
    /// The episode of an imported record, by the sender's ids. It keeps its id when it is registered later.
    Record(Refs),
}

/// Keeps refused submissions. On-call is told of each that holds a danger sign or of which nothing can be read; the same
/// body twice tells once.
pub(crate) async fn refuse(store: &Store, refused: Vec<Refused>) -> Result<(), IntakeError> {
    if refused.is_empty() {
        return Ok(());
    }
    retry_conflicts(|| {
        let refused = refused.clone();
        store.commit(move |unit| {
            Box::pin(async move {
                for one in refused {
                    quarantine(unit, one).await?;
                }
                Ok(())
            })
        })
    })
    .await
}

async fn quarantine(unit: &mut Unit, refused: Refused) -> Result<(), IntakeError> {
    let (reason, sender_id) = judge(&refused.body);
    let (episode, refs) = place(unit, refused.of).await?;
    let (patient_ref, episode_ref) = refs.map(|refs| (refs.patient, refs.episode)).unzip();
    let id = unit.id();
    let row = refusals::ActiveModel {
        id: Set(id),
        episode_id: Set(episode),
        patient_ref: Set(patient_ref),
        episode_ref: Set(episode_ref),
        sender_id: Set(sender_id),
        key: Set(refused.key),
        content_hash: Set(json::hash(&refused.body)),
        body: Set(refused.body),
        faults: Set(json::of(&refused.faults)),
        reason: Set(reason),
        received_at: Set(unit.now()),
        corrected_at: Set(None),
    };
    let known =
        OnConflict::columns([refusals::Column::EpisodeId, refusals::Column::ContentHash]).do_nothing().to_owned();
    let inserted =
        refusals::Entity::insert(row).on_conflict(known).try_insert().exec_without_returning(unit.db()).await?;
    if let (Some(reason), TryInsertResult::Inserted(1)) = (reason, inserted) {
        let event = messages::refused(episode, id, unit.now(), reason.into());
        unit.publish(Lane::Live, episode, &event).await?;
    }
    Ok(())
}

/// The id under which a refusal is kept, and the sender's ids if they are not registered yet.
async fn place(unit: &Unit, of: Of) -> Result<(Uuid, Option<Refs>), IntakeError> {
    let refs = match of {
        Of::Episode(id) => return Ok((id, None)),
        Of::Record(refs) => refs,
    };
    if let Some(known) = episodes::find_by_refs(unit.db(), &refs).await? {
        return Ok((known.id, None));
    }
    let kept = refusals::kept_id(unit.db(), &refs).await?;
    Ok((kept.unwrap_or_else(|| unit.id()), Some(refs)))
}

/// Whether on-call must look at a refused body, and the sender's id if it can be read.
fn judge(body: &[u8]) -> (Option<Reason>, Option<String>) {
    let Ok(value) = json::read(body) else { return (Some(Reason::Unreadable), None) };
    let draft = parse_submission(&value).value;
    let reason = if draft == Draft::default() {
        Some(Reason::Unreadable)
    } else {
        (!danger_signs(&draft).is_empty()).then_some(Reason::DangerSign)
    };
    (reason, draft.id.map(|id| id.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason(body: &str) -> Option<Reason> {
        judge(body.as_bytes()).0
    }

    #[test]
    fn a_danger_sign_in_whatever_is_valid_pages() {
        let saddle = json!({ "pain": 7, "cauda_equina": { "saddle_sensation": { "patient": "yes", "clinician": 3 } } });
        assert_eq!(reason(&saddle.to_string()), Some(Reason::DangerSign));
        let weak = json!({ "motor": { "ankle_dorsiflexion": { "left": 9, "right": 3 } } });
        assert_eq!(reason(&weak.to_string()), Some(Reason::DangerSign));
    }

    #[test]
    fn a_body_of_which_nothing_can_be_read_pages_and_a_merely_faulty_one_does_not() {
        for unreadable in ["", "{ \"saddle", "[]", "\"yes\"", "\u{fffd}", "{}", r#"{ "visit": { "id": "v1" } }"#] {
            assert_eq!(reason(unreadable), Some(Reason::Unreadable), "{unreadable}");
        }
        assert_eq!(reason(r#"{ "id": "v1", "colour": "blue" }"#), None);
    }

    #[test]
    fn a_danger_sign_cannot_hide_behind_a_second_calmer_answer() {
        let twice = r#"{ "id": "v1", "cauda_equina": { "saddle_sensation": "yes" }, "cauda_equina": {} }"#;
        assert_eq!(reason(twice), Some(Reason::Unreadable));
    }
}
