//! The worked cases: every part of what each expects must hold.

use std::fs;
use std::path::Path;

use lasegue_protocol::{Protocol, cases};
use serde_json::Value;

/// Every case by its file name.
pub(crate) fn all() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(folder).expect("the cases are part of the crate");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).expect("it is readable");
        (path.display().to_string(), serde_json::from_str(&text).expect("a case is JSON"))
    };
    paths.iter().map(read).collect()
}

#[test]
fn every_golden_case_holds() {
    let mut failures = Vec::new();
    for (name, case) in all() {
        let mistakes = cases::mistakes(Protocol::embedded(), &case);
        failures.extend(mistakes.into_iter().map(|mistake| format!("{name}: {mistake}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(all().len(), 57);
}

#[test]
fn a_case_tells_everything_that_does_not_hold() {
    let (_, mut case) = all().swap_remove(0);
    case["expect"] = serde_json::json!({"findings": [{"code": "answers-conflict"}],
        "absent": ["pain-single-dermatome"], "next_visit": {"kind": "hold"}});
    let mistakes = cases::mistakes(Protocol::embedded(), &case);
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    case["record"]["episode"] = serde_json::json!({});
    assert_eq!(cases::mistakes(Protocol::embedded(), &case).len(), 2);
}
