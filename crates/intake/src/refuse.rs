//! Refusing a submission without hiding what it may hold: it goes into quarantine, and a danger sign in it pages.

use lasegue_contracts::event::Lane;
use lasegue_contracts::intake::RefusalReason;
use lasegue_platform::store::{Store, StoreError, Unit};
use lasegue_protocol::record::{Fault, danger_signs, parse_submission};
use sea_orm::ActiveValue::Set;
use sea_orm::TryInsertResult;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::ingest;
use crate::messages;
use crate::store::refusals;

/// What is refused, and why.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) episode: Uuid,
    pub(crate) key: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) faults: Vec<Fault>,
}

/// Keeps a refused body. On-call is told when it holds a danger sign or cannot be read at all; the same body twice tells once.
pub(crate) async fn refuse(store: &Store, refused: Refused) -> Result<(), StoreError> {
    store.commit(move |unit| Box::pin(quarantine(unit, refused, Lane::Live))).await
}

pub(crate) async fn quarantine(unit: &mut Unit, refused: Refused, lane: Lane) -> Result<(), StoreError> {
    let (reason, sender_id) = judge(&refused.body);
    let id = unit.id();
    let row = refusals::ActiveModel {
        id: Set(id),
        episode_id: Set(refused.episode),
        sender_id: Set(sender_id),
        key: Set(refused.key),
        content_hash: Set(ingest::hash(&refused.body)),
        body: Set(refused.body),
        faults: Set(serde_json::to_value(&refused.faults).unwrap_or_default()),
        alerted: Set(reason.is_some()),
        received_at: Set(unit.now()),
        corrected_at: Set(None),
    };
    let known =
        OnConflict::columns([refusals::Column::EpisodeId, refusals::Column::ContentHash]).do_nothing().to_owned();
    let inserted =
        refusals::Entity::insert(row).on_conflict(known).try_insert().exec_without_returning(unit.db()).await?;
    if let (Some(reason), TryInsertResult::Inserted(1)) = (reason, inserted) {
        let event = messages::refused(refused.episode, id, unit.now(), reason);
        unit.publish(lane, refused.episode, &event).await?;
    }
    Ok(())
}

/// Whether on-call must look at a refused body, and the sender's id if it can be read.
pub(crate) fn judge(body: &[u8]) -> (Option<RefusalReason>, Option<String>) {
    let Some(value) = serde_json::from_slice::<serde_json::Value>(body).ok().filter(serde_json::Value::is_object)
    else {
        return (Some(RefusalReason::Unreadable), None);
    };
    let draft = parse_submission(&value).value;
    let reason = (!danger_signs(&draft).is_empty()).then_some(RefusalReason::DangerSign);
    (reason, draft.id.map(|id| id.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason(body: &str) -> Option<RefusalReason> {
        judge(body.as_bytes()).0
    }

    #[test]
    fn a_danger_sign_in_whatever_is_valid_pages() {
        let saddle = json!({ "pain": 7, "cauda_equina": { "saddle_sensation": { "patient": "yes", "clinician": 3 } } });
        assert_eq!(reason(&saddle.to_string()), Some(RefusalReason::DangerSign));
        let weak = json!({ "motor": { "ankle_dorsiflexion": { "left": 9, "right": 3 } } });
        assert_eq!(reason(&weak.to_string()), Some(RefusalReason::DangerSign));
    }

    #[test]
    fn a_body_that_cannot_be_read_pages_and_a_merely_faulty_one_does_not() {
        for unreadable in ["", "{ \"saddle", "[]", "\u{fffd}"] {
            assert_eq!(reason(unreadable), Some(RefusalReason::Unreadable), "{unreadable}");
        }
        assert_eq!(reason(r#"{ "id": "v1", "colour": "blue" }"#), None);
    }
}
