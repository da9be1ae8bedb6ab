//! Worked cases: a record and what its assessment must contain.
//!
//! `expect.findings` is every finding above info, `info` some that must be there, `absent` codes
//! that must not; a field that an expected finding does not name may be anything.

use serde_json::Value;

use crate::evaluate;
use crate::protocol::Protocol;
use crate::record::{Record, check_record};

/// Everything in which the assessment of a case differs from what it expects; empty when it holds.
pub fn mistakes(protocol: &Protocol, case: &Value) -> Vec<String> {
    match assess(protocol, &case["record"]) {
        Ok(result) => compare(&result, &case["expect"]),
        Err(reasons) => reasons,
    }
}

fn assess(protocol: &Protocol, record: &Value) -> Result<Value, Vec<String>> {
    let told = |faults: Vec<_>| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
    let record = Record::parse(record).map_err(told)?;
    let faults = check_record(&record);
    if !faults.is_empty() {
        return Err(told(faults));
    }
    let result = evaluate(protocol, &record, None).map_err(|error| vec![error.to_string()])?;
    serde_json::to_value(result).map_err(|error| vec![error.to_string()])
}

fn compare(result: &Value, expect: &Value) -> Vec<String> {
    let found = list(result, "findings");
    let above_info = |finding: &&Value| finding["severity"] != "info";
    let expected = [list(expect, "findings"), list(expect, "info")].concat();
    let mut mistakes = Vec::new();
    for expected in &expected {
        if !found.iter().any(|finding| fits(finding, expected)) {
            mistakes.push(format!("missing: {expected}"));
        }
    }
    for finding in found.iter().filter(above_info) {
        if !expected.iter().any(|expected| fits(finding, expected)) {
            mistakes.push(format!("not expected: {} {}", finding["code"], finding["side"]));
        }
    }
    for code in list(expect, "absent") {
        if found.iter().any(|finding| finding["code"] == code) {
            mistakes.push(format!("should be absent: {code}"));
        }
    }
    let next = &expect["next_visit"];
    if !next.is_null() && !fits(&result["next_visit"], next) {
        mistakes.push(format!("next visit: {} where {next} is expected", result["next_visit"]));
    }
    mistakes
}

fn list(value: &Value, name: &str) -> Vec<Value> {
    value[name].as_array().cloned().unwrap_or_default()
}

/// Whether a value has every field that is expected of it.
fn fits(value: &Value, expected: &Value) -> bool {
    let Some(fields) = expected.as_object() else {
        return false;
    };
    fields.iter().all(|(name, expected)| value[name] == *expected)
}
