//! Taking whole records, many at once, on the bulk lane. Each record is taken whole or not at all, and one that is
//! refused stops no other. The same record again changes nothing.

mod ahead;
mod alarming;
mod prepared;
mod take;

use chrono::{DateTime, Utc};
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::http::problem::MOST_FAULTS;
use lasegue_platform::store::Store;
use lasegue_protocol::record::{Fault, Record, check_record};
use lasegue_values::Name;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

use crate::document::{Refs, Surroundings};
use crate::error::IntakeError;
use crate::refuse::{self, Of, Refused};
use crate::{effects, future, json as text};

/// So many faults of a record are kept with each of its submissions that page: all are told to whoever imports it.
const FEW_FAULTS: usize = 20;

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
pub(crate) async fn import(store: &Store, line: &[u8], caller: &Identity) -> Result<Outcome, IntakeError> {
    let now = store.clock().now();
    let parsed = text::read(line).map_err(|fault| vec![fault]).and_then(|value| parse(value, caller.role, now));
    let taken = match parsed {
        Ok(imported) => take::take(store, imported, &caller.subject).await,
        Err(faults) => Err(IntakeError::Faults(faults)),
    };
    let error = match taken {
        Err(error) => error,
        Ok(outcome) => return Ok(outcome),
    };
    let Some(mut faults) = error.refusal() else { return Err(error) };
    faults.truncate(MOST_FAULTS);
    refuse::refuse(store, alarming(line, &caller.subject, &faults, now)).await?;
    Ok(Outcome::Refused(faults))
}

fn parse(value: Value, role: Role, now: DateTime<Utc>) -> Result<Imported, Vec<Fault>> {
    let mut faults = Vec::new();
    let refs = refs(&value);
    let (surroundings, rest) = Surroundings::take(value, &mut faults);
    let record = Record::parse(&rest).map_err(|found| faults.extend(found)).ok();
    let Some(record) = record else { return Err(faults) };
    faults.extend(check_record(&record));
    faults.extend(effects::forbidden(&record, role));
    faults.extend(future::record(&record, now));
    if faults.is_empty() { Ok(Imported { record, surroundings, refs }) } else { Err(faults) }
}

/// The sender's ids. Where one is missing or faulty the whole record's content stands for it: two patients of whom little is known
/// must never be taken for one.
fn refs(value: &Value) -> Refs {
    let by_content = || content(text::canonical(value.clone()).as_bytes());
    let id = |block: &str| value[block]["id"].as_str().and_then(|id| Name::parse(id).ok());
    let id = |block: &str| id(block).map_or_else(by_content, String::from);
    Refs { patient: id("patient"), episode: id("episode") }
}

fn content(text: &[u8]) -> String {
    format!("sha256:{}", text::hash(text))
}

/// What of a refused record may hold a danger sign and is recent: it pages like a live submission. The record is read once
/// more rather than kept twice: a large one takes many times its own size.
fn alarming(line: &[u8], sender: &str, faults: &[Fault], now: DateTime<Utc>) -> Vec<Refused> {
    let few = &faults[..faults.len().min(FEW_FAULTS)];
    let refused = |refs: &Refs, body: Vec<u8>| Refused {
        of: Of::Record(refs.clone()),
        sender: sender.to_owned(),
        key: None,
        body,
        faults: few.to_vec(),
    };
    match text::read_refused(line) {
        Ok(record) => {
            let refs = refs(&record);
            let parts = alarming::parts(record, now).into_iter();
            parts.map(|part| refused(&refs, part.to_string().into_bytes())).collect()
        }
        Err(_) if alarming::is_alarming(line, now) => {
            let refs = Refs { patient: content(line), episode: content(line) };
            vec![refused(&refs, line.to_vec())]
        }
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-01-21T09:00:00Z".parse().expect("an instant")
    }

    /// How many parts of a record alarm somebody.
    fn alarms(record: &Value) -> usize {
        alarming(record.to_string().as_bytes(), "importer", &[], now()).len()
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
        let alarming = alarming(record.to_string().as_bytes(), "importer", &[], now());
        let ids: Vec<_> = alarming
            .iter()
            .map(|refused| serde_json::from_slice::<Value>(&refused.body).expect("JSON")["id"].clone())
            .collect();
        assert_eq!(ids, ["recent", "undated"]);
    }

    #[test]
    fn a_list_of_another_name_or_none_hides_no_danger_sign() {
        let visit = json!({ "author": "patient", "Cauda_Equina": { "saddle_sensation": true } });
        let whole = json!({ "submissions": [visit] });
        for record in [
            json!({ "Submission": [visit] }),
            json!({ "submissions": visit }),
            json!({ "visits": [visit] }),
            json!({ "encounters": { "1": visit } }),
            json!({ "episode": { "id": "e", "submissions": [visit] } }),
            json!({ "submissions": json!([visit]).to_string() }),
            json!({ "submissions": [[visit]] }),
            json!([whole]),
            json!({ "record": whole }),
            visit.clone(),
            json!({ "patient": { "id": "p" }, "cauda_equina.saddle_sensation": "yes" }),
            json!({ "submissions": [{ "id": "v1", "cauda_equina.saddle_sensation": "yes" }] }),
        ] {
            assert_eq!(alarms(&record), 1, "{record}");
        }
    }

    #[test]
    fn an_old_visit_alarms_nobody_wherever_it_stands() {
        let old = json!({ "assessed_at": "2020-01-14T09:00:00Z", "cauda_equina": { "saddle_sensation": "yes" } });
        for record in [json!({ "visits": [old] }), json!([{ "record": { "submissions": [[old]] } }]), old.clone()] {
            assert_eq!(alarms(&record), 0, "{record}");
        }
    }

    #[test]
    fn what_is_not_read_of_a_recent_record_alarms_and_of_an_old_one_does_not() {
        let marked = "\u{feff}{\"saddle_sensation\":\"yes\"}";
        let many: Map<_, _> = (0..600).map(|index| (format!("unknown{index}"), json!(1))).collect();
        let visit = |at: &str, rest: &Value| json!({ "visits": [{ "assessed_at": at, "cauda_equina": { "bowel_control": "no" }, "more": rest }] });
        for rest in [
            json!(marked),
            json!(many),
            json!({ "saddle_sensation": "\u{2713}" }),
            json!({ "saddle_sensation": "x".repeat(50_000) }),
        ] {
            assert_eq!(alarms(&visit("2026-01-20T09:00:00Z", &rest)), 1, "{rest}");
            assert_eq!(alarms(&visit("2025-01-20T09:00:00Z", &rest)), 0, "{rest}");
        }
    }

    #[test]
    fn a_sign_of_one_part_and_a_risk_of_another_alarm_together() {
        let record = |fever: &str| json!({ "submissions": [{ "assessed_at": "2026-01-20T09:00:00Z", "serious": { "fever": fever } }], "serious": { "iv_drug_use": "yes" } });
        assert_eq!((alarms(&record("yes")), alarms(&record("no"))), (1, 0));
    }

    #[test]
    fn a_line_that_is_no_record_alarms_when_it_may_hold_a_recent_danger_sign() {
        let whole = |at: &str| {
            json!({ "submissions": [{ "assessed_at": at, "cauda_equina": { "saddle_sensation": "yes" } }] }).to_string()
        };
        let (recent, old) = (whole("2026-01-20T09:00:00Z"), whole("2025-01-20T09:00:00Z"));
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let many = |text: &str| text.replacen('{', &format!("{{\"more\":[{}0],", "0,".repeat(250_000)), 1);
        let twice = |text: &str| text.replacen("\"yes\"", "\"yes\",\"saddle_sensation\":\"no\"", 1);
        let marked = |text: &str| format!("\u{feff}{}", text.replacen('{', "{\"a\":1,\"a\":2,", 1));
        let broken = |text: &str| text.trim_end_matches('}').to_owned();
        let ways = |text: &str| {
            [twice(text), marked(text), broken(text), format!("{text};"), many(text)]
                .map(String::into_bytes)
                .into_iter()
                .chain([utf16(text)])
                .map(|line| alarming(&line, "importer", &[], now()).len())
                .collect::<Vec<_>>()
        };
        assert_eq!((ways(&recent), ways(&old)), (vec![1; 6], vec![0; 6]));
        let undated = recent.replace("assessed_at", "seen");
        assert_eq!(alarming(format!("{undated};").as_bytes(), "importer", &[], now()).len(), 1);
        for other in ["name;date;pain", "", "{\"patient\":"] {
            assert_eq!(alarming(other.as_bytes(), "importer", &[], now()).len(), 0, "{other}");
        }
    }

    #[test]
    fn two_records_without_ids_are_one_only_when_all_of_them_is_the_same() {
        let one = json!({ "patient": {}, "episode": { "onset_date": "2026-01-01" }, "submissions": [1] });
        let other = json!({ "patient": {}, "episode": { "onset_date": "2026-01-01" }, "submissions": [2] });
        assert_eq!(refs(&one), refs(&one.clone()));
        assert_ne!(refs(&one), refs(&other));
    }
}
