//! The worked cases: every part of what each expects must hold.

use std::fs;
use std::path::{Path, PathBuf};

use lasegue_protocol::record::{Record, check_record};
use lasegue_protocol::{Protocol, evaluate};
use serde_json::{Value, json};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(folder).expect("the cases are part of the crate");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    paths.sort();
    paths
}

fn is_above_info(finding: &&Value) -> bool {
    finding["severity"] != "info"
}

/// Whether a finding has every field that is expected of it.
fn fits(finding: &Value, expected: &Value) -> bool {
    let fields = expected.as_object().expect("a finding is an object");
    fields.iter().all(|(name, value)| finding[name] == *value)
}

fn mistakes(case: &Value) -> Vec<String> {
    let record = Record::parse(&case["record"]).expect("the record of a case is valid");
    assert_eq!(check_record(&record), []);
    let result = evaluate(Protocol::embedded(), &record, None).expect("it can be evaluated");
    let result = serde_json::to_value(result).expect("a result is JSON");
    let found = result["findings"].as_array().expect("findings are a list");
    let expect = &case["expect"];
    let list = |name: &str| expect[name].as_array().cloned().unwrap_or_default();
    let mut mistakes = Vec::new();
    for expected in list("findings").iter().chain(&list("info")) {
        if !found.iter().any(|finding| fits(finding, expected)) {
            mistakes.push(format!("missing {expected}"));
        }
    }
    for finding in found.iter().filter(is_above_info) {
        if !list("findings").iter().any(|expected| fits(finding, expected)) {
            mistakes.push(format!("unexpected {finding}"));
        }
    }
    for code in list("absent") {
        if found.iter().any(|finding| finding["code"] == code) {
            mistakes.push(format!("{code} should be absent"));
        }
    }
    if expect["next_visit"] != json!(null) && result["next_visit"] != expect["next_visit"] {
        mistakes.push(format!("next visit {}", result["next_visit"]));
    }
    mistakes
}

#[test]
fn every_golden_case_holds() {
    let mut failures = Vec::new();
    for path in cases() {
        let text = fs::read_to_string(&path).expect("it is readable");
        let case: Value = serde_json::from_str(&text).expect("a case is JSON");
        for mistake in mistakes(&case) {
            failures.push(format!("{}: {mistake}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(cases().len(), 57);
}
