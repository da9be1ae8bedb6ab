//! What of a refused record is read for danger: its visits, whatever holds them, and what is left of it without them.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lasegue_protocol::feared::{Fear, MOST_WRAPPED, Reader, json_in, may_mean, names_a_danger};
use lasegue_protocol::json::Room;
use lasegue_protocol::record::{parse_adjudication, parse_submission};
use lasegue_values::limits::MOST_SUBMISSIONS;
use serde_json::{Map, Value, json};

/// A danger sign in a refused record pages when it is at most this old, or when its age cannot be read.
const RECENT: TimeDelta = TimeDelta::days(7);

/// As many visits of a record are read one by one as an episode may have; the others are read together with what is left.
const MOST_VISITS: usize = MOST_SUBMISSIONS;

/// The name of the date of a visit.
const DATE: &str = "assessed_at";

/// The recent or undated parts of a refused record that hold a danger sign, or more than what is read of them.
pub(super) fn parts(record: Value, now: DateTime<Utc>) -> Vec<Value> {
    let mut visits = Visits::default();
    let rest = visits.take_out(record, MOST_WRAPPED);
    let mut parts = visits.found;
    parts.extend(rest);
    parts.retain(|part| !is_old(part, now));
    let mut reader = Reader::default();
    let fears: Vec<_> = parts.iter().map(|part| reader.fear(part)).collect();
    // A sign of one part and a risk of another are a danger together.
    let together = Value::Array(parts);
    if fears.len() > 1 && !fears.contains(&Fear::Danger) && reader.fear(&together) == Fear::Danger {
        return vec![together];
    }
    let Value::Array(parts) = together else { return Vec::new() };
    let is_alarming = |fear: &Fear| matches!(fear, Fear::Danger | Fear::ReadInPart);
    parts.into_iter().zip(fears).filter(|(_, fear)| is_alarming(fear)).map(|(part, _)| part).collect()
}

/// Whether a line of an import that is no JSON may hold a recent danger sign: it names what one rests on, and what it calls the
/// dates of its visits is not all old.
pub(super) fn is_alarming(line: &[u8], now: DateTime<Utc>) -> bool {
    let text = String::from_utf8_lossy(line);
    let mut dated = text.split(DATE).skip(1).peekable();
    let is_undated = dated.peek().is_none();
    let is_recent = |after: &str| date(after).is_none_or(|day| day >= (now - RECENT).date_naive());
    names_a_danger(&text) && (is_undated || dated.any(is_recent))
}

/// The date that follows the name of one.
fn date(after: &str) -> Option<NaiveDate> {
    let from = after.find(|sign: char| sign.is_ascii_digit())?;
    after.get(from..from + 10)?.parse().ok()
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
            (may_mean(name, DATE) && !is_old_date(value, now)) || holds_recent(value, now, wrapped)
        }),
        Value::Array(list) => list.iter().any(|value| holds_recent(value, now, wrapped)),
        Value::String(text) if wrapped > 0 => {
            json_in(text, &Room::default()).is_some_and(|value| holds_recent(&value, now, wrapped - 1))
        }
        _ => false,
    }
}

fn is_old_date(value: &Value, now: DateTime<Utc>) -> bool {
    let alone = json!({ DATE: value });
    parse_submission(&alone).value.assessed_at.is_some_and(|at| at < now - RECENT)
}

/// The visits of a record, and how much of it may still be read out of texts.
#[derive(Default)]
struct Visits {
    found: Vec<Value>,
    room: Room,
}

impl Visits {
    /// Takes the visits out of a value: what says when it was assessed, and what stands in a list of submissions. Gives what is
    /// left of it. As deep as the value goes, which whoever read it has bounded.
    fn take_out(&mut self, value: Value, wrapped: u8) -> Option<Value> {
        match value {
            Value::Object(fields)
                if self.found.len() < MOST_VISITS && fields.keys().any(|name| may_mean(name, DATE)) =>
            {
                self.found.push(Value::Object(fields));
                None
            }
            Value::Object(fields) => {
                let mut left = Map::new();
                for (name, value) in fields {
                    left.extend(self.take_out(value, wrapped).and_then(|value| self.field(name, value)));
                }
                (!left.is_empty()).then_some(Value::Object(left))
            }
            Value::Array(list) => {
                let left: Vec<_> = list.into_iter().filter_map(|value| self.take_out(value, wrapped)).collect();
                (!left.is_empty()).then_some(Value::Array(left))
            }
            Value::String(text) => match if wrapped > 0 { json_in(&text, &self.room) } else { None } {
                Some(value) => self.take_out(value, wrapped - 1),
                None => Some(Value::String(text)),
            },
            single => Some(single),
        }
    }

    /// A field that is left, unless it is a list of submissions, or of signatures, which report nothing.
    fn field(&mut self, name: String, mut left: Value) -> Option<(String, Value)> {
        if let (Value::Array(list), true) = (&mut left, may_mean(&name, "adjudications")) {
            list.retain(|entry| parse_adjudication(entry).is_err());
        }
        if !may_mean(&name, "submissions") {
            return Some((name, left));
        }
        match left {
            Value::Array(list) => self.found.extend(list),
            single => self.found.push(single),
        }
        None
    }
}
