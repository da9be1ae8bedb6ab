//! Taking whole records, many at once, on the bulk lane. Each record is taken whole or not at all, and one that is
//! refused stops no other. The same record again changes nothing.

mod take;

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_platform::store::Store;
use lasegue_protocol::record::{Fault, Record, check_record, danger_signs, parse_submission};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

use crate::document::{Refs, Surroundings};
use crate::error::IntakeError;
use crate::refuse::{self, Of, Refused};
use crate::{future, json as text};

/// A danger sign in a refused record pages when it is at most this old, or when its age cannot be read.
const RECENT: TimeDelta = TimeDelta::days(7);

/// What became of one record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Something in it was new.
    Accepted(Taken),
    /// All of it was there already.
    Known(Taken),
    /// None of it was taken.
    Refused(Vec<Fault>),
}

/// Our ids of a record and its parts, in the record's own order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) episode: Uuid,
    pub(crate) submissions: Vec<Uuid>,
    pub(crate) adjudications: Vec<Uuid>,
}

impl Outcome {
    /// The outcome as a line of the answer.
    pub(crate) fn line(&self) -> Value {
        let ids = |outcome: &str, Taken { episode, submissions, adjudications }: &Taken| json!({ "outcome": outcome, "episode": episode, "submissions": submissions, "adjudications": adjudications });
        match self {
            Self::Accepted(taken) => ids("accepted", taken),
            Self::Known(taken) => ids("known", taken),
            Self::Refused(faults) => json!({ "outcome": "refused", "faults": faults }),
        }
    }
}

/// A record and what stands around it.
#[derive(Clone, Debug)]
struct Imported {
    record: Record,
    surroundings: Surroundings,
    refs: Refs,
}

/// Takes one record of an import.
///
/// # Errors
/// Only when the store fails; what is wrong with the record is an [`Outcome`].
pub(crate) async fn import(store: &Store, line: &[u8]) -> Result<Outcome, IntakeError> {
    let value = match text::read(line) {
        Ok(value) => value,
        Err(fault) => return Ok(Outcome::Refused(vec![fault])),
    };
    let now = store.clock().now();
    let taken = match parse(value.clone(), now) {
        Ok(imported) => take::take(store, imported).await,
        Err(faults) => Err(IntakeError::Faults(faults)),
    };
    let error = match taken {
        Err(error) => error,
        Ok(outcome) => return Ok(outcome),
    };
    let Some(faults) = error.refusal() else { return Err(error) };
    refuse::refuse(store, alarming(&value, &faults, now)).await?;
    Ok(Outcome::Refused(faults))
}

fn parse(value: Value, now: DateTime<Utc>) -> Result<Imported, Vec<Fault>> {
    let mut faults = Vec::new();
    let refs = refs(&value);
    let (surroundings, rest) = Surroundings::take(value, &mut faults);
    let record = Record::parse(&rest).map_err(|found| faults.extend(found)).ok();
    let Some(record) = record else { return Err(faults) };
    faults.extend(check_record(&record));
    faults.extend(future::record(&record, now));
    if faults.is_empty() { Ok(Imported { record, surroundings, refs }) } else { Err(faults) }
}

/// The sender's ids. Where one is missing the whole record's content stands for it: two patients of whom little is known
/// must never be taken for one.
fn refs(value: &Value) -> Refs {
    let by_content = || format!("sha256:{}", text::hash(text::canonical(value.clone()).as_bytes()));
    let id = |block: &str| value[block]["id"].as_str().map_or_else(by_content, str::to_owned);
    Refs { patient: id("patient"), episode: id("episode") }
}

/// The recent submissions of a refused record that hold a danger sign: they page like live ones.
fn alarming(record: &Value, faults: &[Fault], now: DateTime<Utc>) -> Vec<Refused> {
    let is_alarming = |submission: &&Value| {
        let draft = parse_submission(submission).value;
        let old = draft.assessed_at.is_some_and(|at| at < now - RECENT);
        !old && !danger_signs(&draft).is_empty()
    };
    let submissions = record["submissions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refused = |submission: &Value| Refused {
        of: Of::Record(refs(record)),
        key: None,
        body: submission.to_string().into_bytes(),
        faults: faults.to_vec(),
    };
    submissions.iter().filter(is_alarming).map(refused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-01-21T09:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn of_a_refused_record_only_recent_or_undated_danger_signs_alarm() {
        let visit = |id: &str, at: &str, saddle: &str| json!({ "id": id, "assessed_at": at, "author": "patient", "cauda_equina": { "saddle_sensation": saddle } });
        let record = json!({ "submissions": [
            visit("old", "2026-01-14T08:59:59Z", "yes"),
            visit("recent", "2026-01-14T09:00:00Z", "yes"),
            visit("calm", "2026-01-20T09:00:00Z", "no"),
            visit("undated", "last week", "yes"),
        ] });
        let alarming = alarming(&record, &[], now());
        let ids: Vec<_> = alarming
            .iter()
            .map(|refused| serde_json::from_slice::<Value>(&refused.body).expect("JSON")["id"].clone())
            .collect();
        assert_eq!(ids, ["recent", "undated"]);
    }

    #[test]
    fn two_records_without_ids_are_one_only_when_all_of_them_is_the_same() {
        let one = json!({ "patient": {}, "episode": { "onset_date": "2026-01-01" }, "submissions": [1] });
        let other = json!({ "patient": {}, "episode": { "onset_date": "2026-01-01" }, "submissions": [2] });
        assert_eq!(refs(&one), refs(&one.clone()));
        assert_ne!(refs(&one), refs(&other));
    }
}
