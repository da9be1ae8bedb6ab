//! Records made from the calm patient or from bare visits, and what is found in them.

use lasegue_protocol::assessment::{Assessment, Finding};
use lasegue_protocol::record::Record;
use lasegue_protocol::{Protocol, evaluate};
use serde_json::{Value, json};

use crate::rules::{base, change};

pub(crate) fn record(changes: &[&str]) -> Value {
    let mut record = base();
    for one in changes {
        change(&mut record, one);
    }
    record
}

pub(crate) fn parsed(record: &Value) -> Record {
    Record::parse(record).unwrap_or_else(|faults| panic!("{faults:?}"))
}

pub(crate) fn assess(record: &Value) -> Assessment {
    evaluate(Protocol::embedded(), &parsed(record), None).expect("it can be evaluated")
}

pub(crate) fn find<'a>(assessment: &'a Assessment, code: &str) -> Option<&'a Finding> {
    assessment.findings.iter().find(|finding| finding.code == code)
}

pub(crate) fn status(assessment: &Assessment, code: &str) -> Option<&'static str> {
    find(assessment, code).map(|finding| finding.status.as_str())
}

pub(crate) fn respond_by(assessment: &Assessment, code: &str) -> String {
    let finding = find(assessment, code).expect("it is in the result");
    finding.respond_by.map(|by| by.to_rfc3339()).unwrap_or_default()
}

/// The base record with copies of v1 moved to other days.
pub(crate) fn with_visits(record: &Value, days: &[(&str, &str)]) -> Value {
    let mut record = record.clone();
    for (id, time) in days {
        let mut visit = base()["submissions"][0].clone();
        visit["id"] = json!(id);
        visit["assessed_at"] = json!(time);
        visit["received_at"] = json!(time);
        record["submissions"].as_array_mut().expect("it is a list").push(visit);
    }
    record
}

pub(crate) fn signed(code: &str, side: &Value, at: &str) -> Value {
    json!({"kind": "disposition", "code": code, "side": side, "at": at, "by": "a", "note": "seen"})
}

/// A history of bare visits of a clinician, each with its day, its time of arrival and what was found.
pub(crate) fn course(visits: &[(&str, &str, Value)], dispositions: &[Value]) -> Value {
    let visits = visits.iter().enumerate().map(|(index, (assessed, received, found))| {
        let mut visit = json!({"id": format!("v{index}"), "author": "clinician",
            "assessed_at": format!("2026-01-{assessed}T09:00:00Z"),
            "received_at": format!("2026-01-{received}T09:00:00Z")});
        let fields = found.as_object().expect("what was found is an object").clone();
        visit.as_object_mut().expect("it is one").extend(fields);
        visit
    });
    json!({"format": "lasegue.record/1", "patient": {},
        "episode": {"onset_date": "2025-12-18", "treatment_start": "2026-01-01"},
        "submissions": visits.collect::<Vec<_>>(), "adjudications": dispositions})
}
