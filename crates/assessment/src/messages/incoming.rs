//! From the events to the record's types. The public JSON lies between, so that the one parser of the record checks
//! every value; what it refuses can never be handled and is set aside.

use lasegue_contracts::intake::{self as proto, adjudication_recorded::Decision};
use lasegue_contracts::{Envelope, Event, alerting};
use lasegue_platform::consume::HandlerError;
use lasegue_platform::wire::{WireError, id, instant};
use lasegue_protocol::record::{self, Fault};
use prost_types::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{blocks, report};
use crate::history::Change;

/// What an event brings, and to which episode.
pub(crate) fn changes(envelope: &Envelope) -> Result<(Uuid, Vec<Change>), HandlerError> {
    let (episode, changes) = match envelope.event_type.as_str() {
        proto::EpisodeRegistered::TYPE => {
            let proto::EpisodeRegistered { episode_id, version, patient, episode } = envelope.open()?;
            (episode_id, vec![registration(version, patient, episode)?])
        }
        proto::EpisodeUpdated::TYPE => {
            let proto::EpisodeUpdated { episode_id, version, patient, episode } = envelope.open()?;
            (episode_id, vec![registration(version, patient, episode)?])
        }
        proto::SubmissionAccepted::TYPE => {
            let proto::SubmissionAccepted { episode_id, submission } = envelope.open()?;
            (episode_id, vec![self::submission(submission.ok_or(WireError("submission"))?)?])
        }
        proto::AdjudicationRecorded::TYPE => {
            let event: proto::AdjudicationRecorded = envelope.open()?;
            (event.episode_id.clone(), vec![adjudication(event)?])
        }
        proto::RecordImported::TYPE => {
            let event: proto::RecordImported = envelope.open()?;
            (event.episode_id.clone(), imported(event)?)
        }
        alerting::FindingDisposed::TYPE => {
            let event: alerting::FindingDisposed = envelope.open()?;
            (event.episode_id.clone(), vec![disposed(envelope, &event)?])
        }
        other => return Err(HandlerError::give_up(format!("no handler takes {other}"))),
    };
    Ok((id("episode_id", &episode)?, changes))
}

/// Everything that an import has added, in one.
fn imported(event: proto::RecordImported) -> Result<Vec<Change>, HandlerError> {
    let proto::RecordImported { version, patient, episode, adjudications, submissions, .. } = event;
    let blocks = (version > 0).then(|| registration(version, patient, episode));
    let signed = adjudications.into_iter().map(adjudication);
    blocks.into_iter().chain(signed).chain(submissions.into_iter().map(submission)).collect()
}

fn registration(
    version: u64,
    patient: Option<proto::Patient>,
    episode: Option<proto::Episode>,
) -> Result<Change, HandlerError> {
    let patient = patient.ok_or(WireError("patient"))?;
    let episode = episode.ok_or(WireError("episode"))?;
    let version = i64::try_from(version).map_err(|_| WireError("version"))?;
    let body = json!({ "patient": blocks::patient(patient)?, "episode": blocks::episode(episode)? });
    let registration = record::parse_registration(&body).map_err(refused)?;
    Ok(Change::Blocks { version, registration: Box::new(registration) })
}

fn submission(message: proto::Submission) -> Result<Change, HandlerError> {
    let submission_id = id("submission.id", &message.id)?;
    let body = Value::Object(report::submission(message)?);
    let submission = record::parse_submission(&body).accept().map_err(refused)?;
    Ok(Change::Submission { id: submission_id, submission: Box::new(submission) })
}

fn adjudication(event: proto::AdjudicationRecorded) -> Result<Change, HandlerError> {
    let mut body = match event.decision.ok_or(WireError("decision"))? {
        Decision::Disposition(signed) => disposition(&signed.code, &signed.side),
        Decision::Void(void) => json!({ "kind": "void", "submission": void.submission_id }),
        Decision::Longstanding(old) => json!({ "kind": "longstanding", "item": old.item }),
    };
    sign(&mut body, event.at.as_ref(), event.by, event.note)?;
    if let Some(received_at) = &event.received_at {
        body["received_at"] = rfc3339("received_at", Some(received_at))?;
    }
    let mut adjudication = record::parse_adjudication(&body).map_err(refused)?;
    adjudication.seen = seen(event.seen_revision)?;
    let adjudication_id = id("adjudication_id", &event.adjudication_id)?;
    Ok(Change::Adjudication { id: adjudication_id, adjudication })
}

/// A disposition signed on an alert. The event's own id is the adjudication's.
fn disposed(envelope: &Envelope, event: &alerting::FindingDisposed) -> Result<Change, HandlerError> {
    let mut body = disposition(&event.code, &event.side);
    sign(&mut body, event.at.as_ref(), event.by.clone(), event.note.clone())?;
    let mut adjudication = record::parse_adjudication(&body).map_err(refused)?;
    adjudication.seen = seen(event.seen_revision)?;
    Ok(Change::Adjudication { id: envelope.id, adjudication })
}

fn seen(revision: Option<u64>) -> Result<Option<i64>, WireError> {
    revision.map(i64::try_from).transpose().map_err(|_| WireError("seen_revision"))
}

fn disposition(code: &str, side: &str) -> Value {
    let side = if side.is_empty() { Value::Null } else { Value::from(side) };
    json!({ "kind": "disposition", "code": code, "side": side })
}

fn sign(body: &mut Value, at: Option<&Timestamp>, by: String, note: String) -> Result<(), WireError> {
    body["at"] = rfc3339("at", at)?;
    body["by"] = Value::from(by);
    body["note"] = Value::from(note);
    Ok(())
}

pub(super) fn rfc3339(field: &'static str, at: Option<&Timestamp>) -> Result<Value, WireError> {
    Ok(Value::from(instant(field, at)?.to_rfc3339()))
}

/// The first fault names the field; the values stay out of the log.
fn refused(faults: Vec<Fault>) -> HandlerError {
    let first = faults.into_iter().next().map(|fault| fault.pointer).unwrap_or_default();
    HandlerError::give_up(format!("the event holds a value that no record may hold, at `{first}`"))
}

/// An answer's word; none when the question was not asked.
pub(super) fn answer(field: &'static str, given: i32) -> Result<Option<Value>, WireError> {
    let word = match proto::Answer::try_from(given).map_err(|_| WireError(field))? {
        proto::Answer::Unspecified => return Ok(None),
        proto::Answer::Yes => "yes",
        proto::Answer::No => "no",
        proto::Answer::Unknown => "unknown",
    };
    Ok(Some(Value::from(word)))
}

/// A JSON object of the fields that are there.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> serde_json::Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The object as a value, unless it is empty.
pub(super) fn filled(fields: serde_json::Map<String, Value>) -> Option<Value> {
    (!fields.is_empty()).then_some(Value::Object(fields))
}
