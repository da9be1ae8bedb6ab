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
pub(crate) fn change(envelope: &Envelope) -> Result<(Uuid, Change), HandlerError> {
    match envelope.event_type.as_str() {
        proto::EpisodeRegistered::TYPE => {
            let event: proto::EpisodeRegistered = envelope.open()?;
            registration(&event.episode_id, event.version, event.patient, event.episode)
        }
        proto::EpisodeUpdated::TYPE => {
            let event: proto::EpisodeUpdated = envelope.open()?;
            registration(&event.episode_id, event.version, event.patient, event.episode)
        }
        proto::SubmissionAccepted::TYPE => submission(envelope.open()?),
        proto::AdjudicationRecorded::TYPE => adjudication(envelope.open()?),
        alerting::FindingDisposed::TYPE => disposed(envelope, &envelope.open()?),
        other => Err(HandlerError::give_up(format!("no handler takes {other}"))),
    }
}

fn registration(
    episode_id: &str,
    version: u64,
    patient: Option<proto::Patient>,
    episode: Option<proto::Episode>,
) -> Result<(Uuid, Change), HandlerError> {
    let patient = patient.ok_or(WireError("patient"))?;
    let episode = episode.ok_or(WireError("episode"))?;
    let version = i64::try_from(version).map_err(|_| WireError("version"))?;
    let body = json!({ "patient": blocks::patient(patient)?, "episode": blocks::episode(episode)? });
    let registration = record::parse_registration(&body).map_err(refused)?;
    Ok((id("episode_id", episode_id)?, Change::Blocks { version, registration: Box::new(registration) }))
}

fn submission(event: proto::SubmissionAccepted) -> Result<(Uuid, Change), HandlerError> {
    let episode = id("episode_id", &event.episode_id)?;
    let message = event.submission.ok_or(WireError("submission"))?;
    let submission_id = id("submission.id", &message.id)?;
    let body = Value::Object(report::submission(message)?);
    let submission = record::parse_submission(&body).accept().map_err(refused)?;
    Ok((episode, Change::Submission { id: submission_id, submission: Box::new(submission) }))
}

fn adjudication(event: proto::AdjudicationRecorded) -> Result<(Uuid, Change), HandlerError> {
    let mut body = match event.decision.ok_or(WireError("decision"))? {
        Decision::Disposition(signed) => disposition(&signed.code, &signed.side),
        Decision::Void(void) => json!({ "kind": "void", "submission": void.submission_id }),
        Decision::Longstanding(old) => json!({ "kind": "longstanding", "item": old.item }),
    };
    sign(&mut body, event.at.as_ref(), event.by, event.note)?;
    let adjudication = record::parse_adjudication(&body).map_err(refused)?;
    let adjudication_id = id("adjudication_id", &event.adjudication_id)?;
    Ok((id("episode_id", &event.episode_id)?, Change::Adjudication { id: adjudication_id, adjudication }))
}

/// A disposition signed on an alert. The event's own id is the adjudication's.
fn disposed(envelope: &Envelope, event: &alerting::FindingDisposed) -> Result<(Uuid, Change), HandlerError> {
    let mut body = disposition(&event.code, &event.side);
    sign(&mut body, event.at.as_ref(), event.by.clone(), event.note.clone())?;
    let adjudication = record::parse_adjudication(&body).map_err(refused)?;
    Ok((id("episode_id", &event.episode_id)?, Change::Adjudication { id: envelope.id, adjudication }))
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
