//! What of a refused record is read for danger: its visits, whatever holds them, and what is left of it without them.

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_protocol::feared::{Fear, feared, may_mean};
use lasegue_protocol::record::parse_submission;
use lasegue_values::limits::MOST_SUBMISSIONS;
use serde_json::{Map, Value, json};

use crate::json;

/// A danger sign in a refused record pages when it is at most this old, or when its age cannot be read.
const RECENT: TimeDelta = TimeDelta::days(7);

/// As many visits of a record are read one by one as an episode may have; the others are read together with what is left.
const MOST_VISITS: usize = MOST_SUBMISSIONS;

/// As often as a text may hold JSON in a text of JSON.
const MOST_WRAPPED: u8 = 4;

/// The recent or undated parts of a refused record that hold a danger sign.
pub(super) fn parts(record: Value, now: DateTime<Utc>) -> Vec<Value> {
    let mut parts = Vec::new();
    let rest = part(record, &mut parts, MOST_WRAPPED);
    parts.extend(rest);
    parts.retain(|part| !is_old(part, now) && feared(part) == Fear::Danger);
    parts
}

/// Whether everything in a part that says when it was assessed says that this was long ago: within an old visit there may
/// be others.
fn is_old(part: &Value, now: DateTime<Utc>) -> bool {
    let at = parse_submission(part).value.assessed_at;
    at.is_some_and(|at| at < now - RECENT) && !holds_recent(part, now, MOST_WRAPPED)
}

/// Whether a date stands in a value, under whatever spelling of its name, that is recent or cannot be read.
fn holds_recent(value: &Value, now: DateTime<Utc>, wrapped: u8) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            (may_mean(name, "assessed_at") && !is_old_date(value, now)) || holds_recent(value, now, wrapped)
        }),
        Value::Array(list) => list.iter().any(|value| holds_recent(value, now, wrapped)),
        Value::String(text) if wrapped > 0 && text.trim_start().starts_with(['{', '[']) => {
            json::read(text.as_bytes()).is_ok_and(|value| holds_recent(&value, now, wrapped - 1))
        }
        _ => false,
    }
}

fn is_old_date(value: &Value, now: DateTime<Utc>) -> bool {
    let alone = json!({ "assessed_at": value });
    parse_submission(&alone).value.assessed_at.is_some_and(|at| at < now - RECENT)
}

/// Takes the visits out of a value: what says when it was assessed, and what stands in a list of submissions. Gives what is
/// left of it. As deep as the value goes, which whoever read it has bounded.
fn part(value: Value, visits: &mut Vec<Value>, wrapped: u8) -> Option<Value> {
    match value {
        Value::Object(fields)
            if visits.len() < MOST_VISITS && fields.keys().any(|name| may_mean(name, "assessed_at")) =>
        {
            visits.push(Value::Object(fields));
            None
        }
        Value::Object(fields) => {
            let mut left = Map::new();
            for (name, value) in fields {
                left.extend(part(value, visits, wrapped).and_then(|value| field(name, value, visits)));
            }
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Value::Array(list) => {
            let left: Vec<_> = list.into_iter().filter_map(|value| part(value, visits, wrapped)).collect();
            (!left.is_empty()).then_some(Value::Array(left))
        }
        Value::String(text) if wrapped > 0 && text.trim_start().starts_with(['{', '[']) => {
            match json::read(text.as_bytes()) {
                Ok(value) => part(value, visits, wrapped - 1),
                Err(_) => Some(Value::String(text)),
            }
        }
        single => Some(single),
    }
}

/// A field that is left, unless it is a list of submissions.
fn field(name: String, left: Value, visits: &mut Vec<Value>) -> Option<(String, Value)> {
    if !may_mean(&name, "submissions") {
        return Some((name, left));
    }
    match left {
        Value::Array(list) => visits.extend(list),
        single => visits.push(single),
    }
    None
}
