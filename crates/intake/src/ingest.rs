//! From bytes to a JSON body, and the small things that every way in shares.

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_protocol::record::Fault;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::error::IntakeError;

/// How far a sender's clock may be ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    Sha256::digest(bytes).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The JSON value of a body.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, IntakeError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let reason = format!("is not readable as JSON: {error}");
        IntakeError::Faults(vec![fault("", reason)])
    })
}

pub(crate) fn fault(pointer: &str, reason: impl Into<String>) -> Fault {
    Fault { pointer: pointer.to_owned(), reason: reason.into() }
}

/// Takes `name` out of an object, as text.
pub(crate) fn take_text(fields: &mut Map<String, Value>, name: &str, faults: &mut Vec<Fault>) -> Option<String> {
    match fields.remove(name)? {
        Value::Null => None,
        Value::String(text) if !text.is_empty() && text.chars().count() <= 200 => Some(text),
        _ => {
            faults.push(fault(&format!("/{name}"), "must be a text of 1 to 200 characters"));
            None
        }
    }
}

/// A fault when `at` lies in the future.
pub(crate) fn not_in_future(pointer: &str, at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Fault> {
    (at > now + CLOCK_SKEW).then(|| fault(pointer, "lies in the future"))
}
