//! What a finding says it rests on.

use lasegue_protocol::assessment::Evidence;
use serde_json::{Value, json};

use crate::rules::base;
use crate::visits::{assess, find, record, with_visits};

#[test]
fn the_evidence_names_value_and_visit_of_both_sides_of_a_comparison() {
    let result = assess(&record(&["v1.reflexes.knee.right=0"]));
    let finding = find(&result, "reflex-changed").expect("it fires");
    let expected = json!([
        {"path": "reflexes.knee.right", "value": 0, "submission": "v1"},
        {"path": "reflexes.knee.right", "value": 2, "submission": "v0"},
    ]);
    assert_eq!(json!(finding.evidence), expected);
    assert_eq!(json!(finding.measure), json!({"right.knee": 2}));
}

/// Changes to the calm patient, a code, and the path and visit of everything it must show.
type Case<'c> = (&'c [&'c str], &'c str, &'c [(&'c str, &'c str)]);

#[test]
fn the_evidence_names_all_that_was_compared() {
    let taken = r#"{"date":"2026-01-02","kind":"other","change":"start"}"#;
    let to_come = r#"{"date":"2026-01-22","kind":"other","change":"start"}"#;
    let treatments = format!("episode.treatments=[{to_come},{taken}]");
    let worse = "v1.pain.leg.value=75";
    let cases: [Case; 5] = [
        (&[worse], "leg-pain-worse", &[("pain.leg", "v1"), ("pain.leg", "v0")]),
        (
            &[worse, &treatments],
            "leg-pain-worse-despite-treatment",
            &[("pain.leg", "v1"), ("pain.leg", "v0"), ("episode.treatments.1", "")],
        ),
        (&["v1.odi=[3,3,3,3,3,3,3,3,3,3]"], "disability-worse", &[("odi", "v1"), ("odi", "v0")]),
        (
            &["v0.motor.knee_extension.right=4", "-v1.motor.knee_extension.left"],
            "motor-exam-unknown",
            &[("author", "v1"), ("motor.knee_extension.left", "v1"), ("motor.knee_extension.right", "v0")],
        ),
        (
            &["v1.sensation.right.L5=1"],
            "sensation-changed",
            &[("sensation.right.L5", "v1"), ("sensation.right.L5", "v0")],
        ),
    ];
    for (changes, code, expected) in cases {
        let result = assess(&record(changes));
        let finding = find(&result, code).unwrap_or_else(|| panic!("{code} does not fire"));
        let place = |read: &Evidence| {
            (read.path.clone(), read.submission.clone().map_or(String::new(), |submission| submission.0))
        };
        let read: Vec<_> = finding.evidence.iter().map(place).collect();
        let expected: Vec<_> = expected.iter().map(|(path, visit)| ((*path).to_owned(), (*visit).to_owned())).collect();
        assert_eq!(read, expected, "{code}");
    }
}

#[test]
fn the_evidence_gives_a_score_to_a_tenth() {
    let result = assess(&record(&["v0.odi=[4,1,1,1,1,1,1,1,1,null]", "v1.odi=[3,3,3,3,3,3,3,3,3,3]"]));
    let finding = find(&result, "disability-worse").expect("it fires");
    assert_eq!(json!(finding.evidence[1]), json!({"path": "odi", "value": 26.7, "submission": "v0"}));
}

#[test]
fn a_change_is_compared_with_the_first_visit_that_was_as_good() {
    let mut record = with_visits(&base(), &[("v2", "2026-02-09T09:00:00Z")]);
    record["submissions"][2]["sensation"]["right"]["L5"] = json!(1);
    let result = assess(&record);
    let finding = find(&result, "sensation-changed").expect("it fires");
    assert_eq!(json!(finding.evidence[1]), json!({"path": "sensation.right.L5", "value": 0, "submission": "v0"}));
}

#[test]
fn an_ask_that_latched_tells_what_is_missing_today() {
    let worse = |visit: &mut Value, leg: i64| visit["pain"] = json!({"leg": {"scale": "vas", "value": leg}});
    let mut record = with_visits(&base(), &[("v2", "2026-02-09T09:00:00Z")]);
    let visits = record["submissions"].as_array_mut().expect("it is a list");
    let last = visits.len() - 1;
    worse(&mut visits[last - 1], 90);
    visits[last - 1]["serious"]["osteoporosis"] = json!("unknown");
    worse(&mut visits[last], 90);
    visits[last]["serious"]["osteoporosis"] = json!("no");
    visits[last]["trauma"] = json!({"occurred": "yes"});
    let assessment = assess(&record);
    let ask = find(&assessment, "serious-pathology-unknown").expect("it is asked");
    assert_eq!((ask.severity.as_str(), ask.status.as_str()), ("urgent", "open"));
    let read: Vec<_> = ask.evidence.iter().map(|read| read.path.as_str()).collect();
    assert!(read.contains(&"serious.osteoporosis") && read.contains(&"trauma.date"), "{read:?}");
}
