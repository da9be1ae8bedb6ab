//! Refusing a submission without hiding what it may hold: it goes into quarantine, and a danger sign in it pages.

use chrono::TimeDelta;
use lasegue_contracts::event::Lane;
use lasegue_platform::detached;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::feared::{Fear, feared};
use lasegue_protocol::record::{Fault, parse_submission};
use sea_orm::entity::prelude::*;

use crate::document::Refs;
use crate::error::IntakeError;
use crate::json;
use crate::messages;
use crate::store::refusals::Reason;
use crate::store::{episodes, refusals};

/// Refusals of one sender share an alert for this long after the first of them.
const BURST: TimeDelta = TimeDelta::minutes(10);

/// Refusals that one unit keeps.
const AT_ONCE: usize = 20;

/// A submission that is refused, and why.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) of: Of,
    /// Who sent it, as the token says.
    pub(crate) sender: String,
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

/// Keeps refused submissions. On-call is told of each that holds a danger sign or of which nothing can be read. The same
/// body of the same sender is kept once and told each time: it is known only while somebody still has to look at it, and
/// that alerting knows.
///
/// # Errors
/// When the store fails. Some of them may be kept and told then: the same again is safe.
pub(crate) async fn refuse(store: &Store, refused: Vec<Refused>) -> Result<(), IntakeError> {
    for some in refused.chunks(AT_ONCE) {
        let some = some.to_vec();
        let judged = detached::compute(|| some.into_iter().map(Judged::of).collect()).await;
        keep_and_tell(store, judged).await?;
    }
    Ok(())
}

async fn keep_and_tell(store: &Store, judged: Vec<Judged>) -> Result<(), IntakeError> {
    retry_conflicts(|| {
        let judged = judged.clone();
        store.commit(move |unit| {
            Box::pin(async move {
                for one in judged {
                    quarantine(unit, one).await?;
                }
                Ok(())
            })
        })
    })
    .await
}

/// A refused submission that was read for danger, before the database is kept waiting for it.
#[derive(Clone, Debug)]
struct Judged {
    refused: Refused,
    reason: Option<Reason>,
    sender_id: Option<String>,
}

impl Judged {
    fn of(refused: Refused) -> Self {
        let (reason, sender_id) = judge(&refused.body);
        Self { refused, reason, sender_id }
    }
}

async fn quarantine(unit: &mut Unit, judged: Judged) -> Result<(), IntakeError> {
    let kept = keep(unit, judged).await?;
    let Some(reason) = kept.reason else { return Ok(()) };
    let alert = kept.alert();
    let event = messages::refused(&kept, unit.now(), reason.into(), sender_of(&kept.sender));
    unit.publish(Lane::Live, alert, &event).await?;
    Ok(())
}

/// Keeps a refused submission, unless it is kept already.
async fn keep(unit: &mut Unit, Judged { refused, reason, sender_id }: Judged) -> Result<refusals::Model, IntakeError> {
    let (episode, refs) = place(unit, refused.of).await?;
    let content_hash = json::hash(&refused.body);
    if let Some(known) = refusals::open(unit.db(), episode, &content_hash, &refused.sender).await? {
        refusals::mark_repeated(unit.db(), &known, unit.now()).await?;
        return Ok(known);
    }
    let told_under = alert_shared(unit, episode, &refused.sender, reason).await?;
    let (patient_ref, episode_ref) = refs.map(|refs| (refs.patient, refs.episode)).unzip();
    let row = refusals::Model {
        id: unit.id(),
        episode_id: episode,
        patient_ref,
        episode_ref,
        sender_id,
        sender: refused.sender,
        key: refused.key,
        content_hash,
        body: refused.body,
        faults: json::of(&refused.faults),
        reason,
        received_at: unit.now(),
        last_received_at: None,
        times: 1,
        corrected_at: None,
        told_under,
    };
    refusals::insert(unit.db(), row.clone()).await?;
    Ok(row)
}

/// The episode under whose alert a refusal is told, when it may share one: what cannot be read and what belongs to no
/// registered episode shares the alert of its sender, so that garbage cannot page once for each body of it. A danger sign
/// of a patient we know has an alert of its own.
async fn alert_shared(
    unit: &Unit,
    episode: Uuid,
    sender: &str,
    reason: Option<Reason>,
) -> Result<Option<Uuid>, IntakeError> {
    let shares = match reason {
        None => false,
        Some(Reason::Unreadable) => true,
        Some(Reason::DangerSign) => !episodes::is_registered(unit.db(), episode).await?,
    };
    if !shares {
        return Ok(None);
    }
    let host = refusals::burst(unit.db(), sender, unit.now() - BURST).await?;
    Ok(Some(host.unwrap_or(episode)))
}

/// What events call a sender: always the same for the same one, and nobody's name.
fn sender_of(subject: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, subject.as_bytes())
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

/// Whether a body that was refused at another address is a submission with a danger sign. What has a `kind` is a faulty
/// adjudication.
pub(crate) fn is_dangerous(body: &[u8]) -> bool {
    json::read_refused(body).is_ok_and(|value| value.get("kind").is_none() && feared(&value) == Fear::Danger)
}

/// Whether on-call must look at a refused body, and the sender's id if it can be read.
fn judge(body: &[u8]) -> (Option<Reason>, Option<String>) {
    let Ok(value) = json::read_refused(body) else { return (Some(Reason::Unreadable), None) };
    let reason = match feared(&value) {
        Fear::Danger => Some(Reason::DangerSign),
        Fear::Unread | Fear::ReadInPart => Some(Reason::Unreadable),
        Fear::Nothing => None,
    };
    (reason, parse_submission(&value).value.id.map(|id| id.0))
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
        let envelope = r#"{ "id": "v1", "author": "patient", "colour": "blue" }"#;
        for unreadable in ["", "{ \"saddle", "[]", "\"yes\"", "\u{fffd}", "{}", envelope] {
            assert_eq!(reason(unreadable), Some(Reason::Unreadable), "{unreadable}");
        }
        assert_eq!(reason(r#"{ "id": "v1", "colour": "blue", "cauda_equina": { "bowel_control": "no" } }"#), None);
    }

    #[test]
    fn a_danger_sign_cannot_hide_behind_a_second_calmer_answer() {
        let twice = |saddle: &str| {
            let items = format!(r#"{{ "saddle_sensation": "{saddle}", "bowel_control": "no" }}"#);
            let text = items.replace(", ", r#", "saddle_sensation": "no", "#);
            [
                format!(r#"{{ "cauda_equina": {items}, "cauda_equina": {{}} }}"#),
                format!(r#"{{ "cauda_equina": {text} }}"#),
                json!({ "form": text }).to_string(),
            ]
        };
        assert_eq!(twice("yes").map(|body| reason(&body)), [Some(Reason::DangerSign); 3]);
        assert_eq!(twice("no").map(|body| reason(&body)), [None; 3], "both answers are calm");
    }
}
