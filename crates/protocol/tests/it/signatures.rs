//! What a signature covers, and what it does not.

use serde_json::{Value, json};

use crate::rules::change;
use crate::visits::{assess, course, record, respond_by, signed, status, with_visits};

#[test]
fn a_signed_finding_has_no_deadline_left() {
    let mut record = record(&["v1.sensation.right.L5=1"]);
    record["adjudications"] = json!([signed("sensation-changed", &json!("right"), "2026-01-21T10:00:00Z")]);
    let result = assess(&record);
    assert_eq!(status(&result, "sensation-changed"), Some("persisting"));
    assert_eq!(respond_by(&result, "sensation-changed"), "");
}

#[test]
fn a_signature_for_the_other_side_signs_nothing() {
    let mut record = record(&["v1.sensation.right.L5=1"]);
    record["adjudications"] = json!([signed("sensation-changed", &json!("left"), "2026-01-21T10:00:00Z")]);
    assert_eq!(status(&assess(&record), "sensation-changed"), Some("new"));
}

#[test]
fn a_signed_deficit_is_forgotten_only_when_it_was_examined_again() {
    let mut record = with_visits(
        &record(&["v1.sensation.right.L5=1"]),
        &[("v2", "2026-01-31T09:00:00Z"), ("v3", "2026-02-05T09:00:00Z")],
    );
    record["adjudications"] = json!([signed("sensation-changed", &json!("right"), "2026-01-22T09:00:00Z")]);
    record["submissions"][3]["sensation"]["right"]["L5"] = json!(1);
    assert_eq!(status(&assess(&record), "sensation-changed"), Some("new"));
    change(&mut record, "-submissions.2.sensation.right.L5");
    assert_eq!(status(&assess(&record), "sensation-changed"), Some("persisting"));
}

#[test]
fn the_greater_finding_stands_for_the_lesser_one() {
    let record = with_visits(&record(&["v1.motor.knee_extension.right=3"]), &[("v2", "2026-01-31T09:00:00Z")]);
    let mut improved = record.clone();
    improved["submissions"][2]["motor"]["knee_extension"]["right"] = json!(4);
    let result = assess(&improved);
    assert_eq!(status(&result, "motor-deficit-severe"), Some("open"));
    assert_eq!(status(&result, "motor-deficit-progressive"), None);
    improved["adjudications"] = json!([signed("motor-deficit-severe", &json!("right"), "2026-02-01T09:00:00Z")]);
    let result = assess(&improved);
    assert_eq!(status(&result, "motor-deficit-severe"), None);
    assert_eq!(status(&result, "motor-deficit-progressive"), Some("persisting"));
}

#[test]
fn reported_weakness_without_an_examination_has_no_grounds_that_could_grow() {
    let weak = |leg: &str| json!({"new_weakness": "yes", "motor": {"ankle_dorsiflexion": {leg: 4}}});
    let both = json!({"motor": {"ankle_dorsiflexion": {"left": 4, "right": 4}}});
    let disposition = signed("motor-deficit-progressive", &Value::Null, "2026-01-03T10:00:00Z");
    let record = course(&[("01", "01", both), ("03", "03", weak("left")), ("05", "05", weak("right"))], &[disposition]);
    let result = assess(&record);
    let mut found = result.findings.iter().filter(|finding| finding.code == "motor-deficit-progressive");
    assert_eq!(found.next().map(|finding| (finding.side, finding.status.as_str())), Some((None, "persisting")));
}

#[test]
fn the_next_visit_does_not_wait_for_what_is_signed() {
    let mut record = record(&["v0.sensation.right.L5=0", "v1.reflexes.knee.right=0", "v1.motor.knee_extension.left=4"]);
    record["adjudications"] = json!([signed("motor-deficit-progressive", &json!("left"), "2026-01-21T10:00:00Z")]);
    let result = assess(&record);
    assert_eq!(status(&result, "motor-deficit-progressive"), Some("persisting"));
    assert_eq!(status(&result, "reflex-changed"), Some("new"));
    let latest = result.next_visit.latest.map(|day| day.to_string());
    assert_eq!(latest.as_deref(), Some("2026-01-28"));
}

#[test]
fn a_signature_of_the_same_instant_covers_the_visit() {
    let mut record = record(&["v1.sensation.right.L5=1"]);
    for (at, expected) in [
        ("2026-01-21T08:59:59Z", "new"),
        ("2026-01-21T09:00:00Z", "persisting"),
        ("2026-01-21T10:00:00+01:00", "persisting"),
    ] {
        record["adjudications"] = json!([signed("sensation-changed", &json!("right"), at)]);
        assert_eq!(status(&assess(&record), "sensation-changed"), Some(expected), "{at}");
    }
}

#[test]
fn what_a_signed_greater_finding_rested_on_does_not_hide_another_ground_of_the_lesser() {
    let disposition = signed("cauda-equina-emergency", &Value::Null, "2026-01-01T10:00:00Z");
    let residual = json!({"cauda_equina": {"post_void_residual_ml": 200}});
    let both_legs = json!({"pain": {"dermatomes": ["L-L5", "R-L5"]}});
    let record = course(&[("01", "01", residual), ("04", "04", both_legs)], std::slice::from_ref(&disposition));
    assert_eq!(status(&assess(&record), "cauda-equina-watch"), Some("worse"));

    let weakness = json!({"motor": {"knee_extension": {"left": 4, "right": 4}}});
    let leg_pain = json!({"cauda_equina": {"new_bilateral_leg_pain": "yes"}});
    let record = course(&[("01", "01", weakness), ("04", "04", leg_pain)], &[disposition]);
    assert_eq!(status(&assess(&record), "cauda-equina-watch"), Some("worse"));
}

#[test]
fn a_late_visit_that_reopens_keeps_the_visits_that_a_disposition_did_not_see() {
    let numb = || json!({"cauda_equina": {"saddle_sensation": "yes"}});
    let leaking = || json!({"cauda_equina": {"urinary_leakage": "yes"}});
    let incontinent = || json!({"cauda_equina": {"bowel_control": "yes"}});
    let disposition = |at| signed("cauda-equina-emergency", &Value::Null, at);
    let cases = [
        (
            [("01", "01", incontinent()), ("03", "07", numb()), ("05", "05", incontinent()), ("09", "09", numb())],
            [disposition("2026-01-05T10:00:00Z"), disposition("2026-01-08T10:00:00Z")],
            "worse",
        ),
        (
            [("01", "01", json!({})), ("03", "10", leaking()), ("05", "05", numb()), ("15", "15", numb())],
            [disposition("2026-01-05T10:00:00Z"), disposition("2026-01-11T10:00:00Z")],
            "persisting",
        ),
    ];
    for (visits, dispositions, expected) in cases {
        let assessment = assess(&course(&visits, &dispositions));
        assert_eq!(status(&assessment, "cauda-equina-emergency"), Some(expected), "{visits:?}");
    }
}

#[test]
fn a_signature_that_saw_nothing_since_a_late_visit_reopened_does_nothing() {
    let numb = || json!({"cauda_equina": {"saddle_sensation": "yes"}});
    let incontinent = || json!({"cauda_equina": {"bowel_control": "yes"}});
    let disposition = |at| signed("cauda-equina-emergency", &Value::Null, at);
    let visits = [("01", "01", numb()), ("03", "20", incontinent()), ("08", "20", numb())];
    let first = disposition("2026-01-05T10:00:00Z");
    let once = assess(&course(&visits, std::slice::from_ref(&first)));
    let twice = assess(&course(&visits, &[first, disposition("2026-01-10T10:00:00Z")]));
    assert_eq!(status(&once, "cauda-equina-emergency"), Some("open"));
    assert_eq!(once, twice);
}

#[test]
fn a_signature_that_is_dated_ahead_covers_nothing_that_came_after_it() {
    let mut record = record(&["v1.sensation.right.L5=1"]);
    let mut ahead = signed("sensation-changed", &json!("right"), "2026-01-21T09:04:40Z");
    record["adjudications"] = json!([ahead]);
    assert_eq!(status(&assess(&record), "sensation-changed"), Some("persisting"), "without a receipt its date is all");
    for (received, expected) in [
        ("2026-01-21T08:59:59Z", "new"),
        ("2026-01-21T09:00:00Z", "persisting"),
        ("2026-01-22T09:00:00Z", "persisting"),
    ] {
        ahead["received_at"] = json!(received);
        record["adjudications"] = json!([ahead]);
        assert_eq!(status(&assess(&record), "sensation-changed"), Some(expected), "{received}");
    }
}

#[test]
fn a_signature_that_was_received_late_covers_no_more_than_its_date() {
    let mut record = record(&["v1.sensation.right.L5=1"]);
    let mut early = signed("sensation-changed", &json!("right"), "2026-01-21T08:00:00Z");
    early["received_at"] = json!("2026-01-23T09:00:00Z");
    record["adjudications"] = json!([early]);
    assert_eq!(status(&assess(&record), "sensation-changed"), Some("new"));
}
