//! Histories: latching, signatures, corrections, deadlines, and a named visit.

use lasegue_protocol::assessment::{Assessment, Finding};
use lasegue_protocol::record::{Record, Side, SubmissionId};
use lasegue_protocol::{EvaluateError, Probe, Protocol, evaluate};
use serde_json::{Value, json};

use crate::rules::{base, change};

fn record(changes: &[&str]) -> Value {
    let mut record = base();
    for one in changes {
        change(&mut record, one);
    }
    record
}

fn parsed(record: &Value) -> Record {
    Record::parse(record).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn assess(record: &Value) -> Assessment {
    evaluate(Protocol::embedded(), &parsed(record), None).expect("it can be evaluated")
}

fn find<'a>(assessment: &'a Assessment, code: &str) -> Option<&'a Finding> {
    assessment.findings.iter().find(|finding| finding.code == code)
}

fn status(assessment: &Assessment, code: &str) -> Option<&'static str> {
    find(assessment, code).map(|finding| finding.status.as_str())
}

fn respond_by(assessment: &Assessment, code: &str) -> String {
    let finding = find(assessment, code).expect("it is in the result");
    finding.respond_by.map(|by| by.to_rfc3339()).unwrap_or_default()
}

/// The base record with copies of v1 moved to other days.
fn with_visits(record: &Value, days: &[(&str, &str)]) -> Value {
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

fn signed(code: &str, side: &Value, at: &str) -> Value {
    json!({"kind": "disposition", "code": code, "side": side, "at": at, "by": "a", "note": "seen"})
}

#[test]
fn nothing_that_counts_is_an_error_and_so_is_an_unknown_visit() {
    let mut empty = base();
    empty["submissions"] = json!([]);
    let outcome = evaluate(Protocol::embedded(), &parsed(&empty), None);
    assert_eq!(outcome, Err(EvaluateError::NothingToEvaluate));
    let id = SubmissionId("v9".to_owned());
    let outcome = evaluate(Protocol::embedded(), &parsed(&base()), Some(&id));
    assert_eq!(outcome, Err(EvaluateError::NoSuchVisit(id)));
}

#[test]
fn a_named_visit_is_evaluated_as_if_it_were_the_latest() {
    let mut record = record(&[r#"v0.cauda_equina.bowel_control="yes""#, "v1.pain.leg.value=90"]);
    let v0 = SubmissionId("v0".to_owned());
    let at_v0 = |record: &Value| evaluate(Protocol::embedded(), &parsed(record), Some(&v0)).expect("v0 counts");
    assert_eq!(status(&at_v0(&record), "cauda-equina-emergency"), Some("new"));
    assert_eq!(find(&at_v0(&record), "leg-pain-worse"), None);
    record["adjudications"] = json!([signed("cauda-equina-emergency", &Value::Null, "2026-01-21T09:00:00Z")]);
    assert_eq!(status(&at_v0(&record), "cauda-equina-emergency"), Some("new"));
    record["adjudications"] = json!([signed("cauda-equina-emergency", &Value::Null, "2026-01-21T08:59:59Z")]);
    assert_eq!(status(&at_v0(&record), "cauda-equina-emergency"), Some("persisting"));
}

#[test]
fn the_scores_are_those_of_the_visit() {
    let result = assess(&record(&["v1.odi=[2,2,2,2,2,3,3,3,3,null]", r#"v1.pain.leg={"scale":"nrs","value":7}"#]));
    assert_eq!(json!(result.scores), json!({"leg_pain_mm": 70, "odi_percent": 48.9}));
    let result = assess(&record(&["v1.odi=[2,2,2,2,2,3,3,null,null,null]", "-v1.pain.leg"]));
    assert_eq!(json!(result.scores), json!({"leg_pain_mm": null, "odi_percent": null}));
}

#[test]
fn each_limit_counts_from_the_visit_that_first_or_last_worse_met_it() {
    let result = assess(&record(&[
        r#"v1.cauda_equina.sexual_dysfunction="yes""#,
        "v1.sensation.right.L5=1",
        "v1.motor.knee_extension.left=4",
        r#"v1.serious.night_pain="yes""#,
    ]));
    assert_eq!(respond_by(&result, "cauda-equina-watch"), "2026-01-21T23:59:59+00:00");
    assert_eq!(respond_by(&result, "motor-deficit-progressive"), "2026-01-22T09:00:00+00:00");
    assert_eq!(respond_by(&result, "sensation-changed"), "2026-01-28T09:00:00+00:00");
    assert_eq!(respond_by(&result, "serious-pathology-review"), "2026-02-04T09:00:00+00:00");
    let first = record(&["v1.sensation.right.L5=1"]);
    let calm = with_visits(&first, &[("v2", "2026-01-31T09:00:00Z")]);
    assert_eq!(respond_by(&assess(&calm), "sensation-changed"), "2026-01-28T09:00:00+00:00");
    let mut worse = calm;
    worse["submissions"][2]["sensation"]["right"]["L5"] = json!(2);
    assert_eq!(respond_by(&assess(&worse), "sensation-changed"), "2026-02-07T09:00:00+00:00");
    let emergency = assess(&record(&[r#"v1.cauda_equina.bowel_control="yes""#]));
    assert_eq!(respond_by(&emergency, "cauda-equina-emergency"), "2026-01-21T09:00:00+00:00");
}

#[test]
fn the_same_day_ends_where_the_patient_lives() {
    let tokyo = record(&[r#"v1.cauda_equina.sexual_dysfunction="yes""#, r#"episode.time_zone="Asia/Tokyo""#]);
    assert_eq!(respond_by(&assess(&tokyo), "cauda-equina-watch"), "2026-01-21T14:59:59+00:00");
    let mut nobody = tokyo;
    change(&mut nobody, "-episode.time_zone");
    assert_eq!(respond_by(&assess(&nobody), "cauda-equina-watch"), "2026-01-21T23:59:59+00:00");
}

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
fn an_emergency_that_becomes_urgent_stays_an_emergency() {
    let mut record = with_visits(
        &record(&[r#"v1.serious.cancer_history="yes""#, r#"v1.serious.night_pain="yes""#, "v1.sensation.left.S1=2"]),
        &[("v2", "2026-01-31T09:00:00Z")],
    );
    for item in ["cancer_history", "night_pain"] {
        record["submissions"][2]["serious"][item] = json!("yes");
    }
    let result = assess(&record);
    let finding = find(&result, "malignancy-suspected").expect("it stays");
    assert_eq!((finding.severity.as_str(), finding.status.as_str()), ("emergency", "open"));
    assert_eq!(finding.measure.get("new_deficit"), Some(&1));
}

#[test]
fn a_correction_of_a_correction_still_leaves_the_emergency_to_sign() {
    let mut record = with_visits(
        &record(&[r#"v1.cauda_equina.bowel_control="yes""#]),
        &[("w1", "2026-01-21T09:00:00Z"), ("w2", "2026-01-20T09:00:00Z")],
    );
    record["submissions"][2]["supersedes"] = json!("v1");
    record["submissions"][3]["supersedes"] = json!("w1");
    let result = assess(&record);
    assert_eq!(result.visit.0, "w2");
    assert_eq!(status(&result, "cauda-equina-emergency"), Some("corrected-pending"));
    record["adjudications"] = json!([signed("cauda-equina-emergency", &Value::Null, "2026-01-21T08:59:59Z")]);
    assert_eq!(status(&assess(&record), "cauda-equina-emergency"), Some("corrected-pending"));
    record["adjudications"] = json!([signed("cauda-equina-emergency", &Value::Null, "2026-01-21T09:00:00Z")]);
    assert_eq!(status(&assess(&record), "cauda-equina-emergency"), None);
}

#[test]
fn a_replaced_visit_is_judged_without_its_replacement() {
    let mut record = with_visits(&record(&["v1.motor.knee_extension.right=3"]), &[("w1", "2026-01-10T09:00:00Z")]);
    record["submissions"][2]["supersedes"] = json!("v1");
    record["submissions"][2]["motor"]["knee_extension"]["right"] = json!(3);
    record["submissions"][2]["motor_longstanding"] = json!(["right.knee_extension"]);
    record["submissions"][0]["motor"] = json!({});
    let result = assess(&record);
    assert_eq!(result.visit.0, "w1");
    assert_eq!(status(&result, "motor-deficit-severe"), Some("corrected-pending"));
}

#[test]
fn submissions_that_replace_each_other_in_a_circle_all_count() {
    let mut record = record(&[r#"v1.cauda_equina.bowel_control="yes""#]);
    record["submissions"][0]["supersedes"] = json!("v1");
    record["submissions"][1]["supersedes"] = json!("v0");
    assert_eq!(status(&assess(&record), "cauda-equina-emergency"), Some("new"));
    record["submissions"][1]["supersedes"] = json!("v1");
    change(&mut record, "-v0.supersedes");
    assert_eq!(status(&assess(&record), "cauda-equina-emergency"), Some("new"));
}

#[test]
fn an_emergency_is_shown_once_although_a_correction_took_another_away() {
    let mut record =
        with_visits(&record(&[r#"v0.cauda_equina.bowel_control="yes""#]), &[("w1", "2026-01-01T09:00:00Z")]);
    record["submissions"][2]["supersedes"] = json!("v0");
    change(&mut record, r#"v1.cauda_equina.saddle_sensation="yes""#);
    let result = assess(&record);
    let shown = result.findings.iter().filter(|finding| finding.code == "cauda-equina-emergency");
    assert_eq!(shown.map(|finding| finding.status.as_str()).collect::<Vec<_>>(), ["new"]);
}

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

#[test]
fn a_result_comes_back_from_its_own_json() {
    let result = assess(&record(&["v1.reflexes.knee.right=0"]));
    let json = serde_json::to_string(&result).expect("a result is JSON");
    let back: Assessment = serde_json::from_str(&json).expect("it was one");
    assert_eq!(serde_json::to_string(&back).ok(), Some(json));
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
fn a_probe_tells_single_conditions_of_the_latest_visit() {
    let record = parsed(&record(&["v1.sensation.right.L5=1"]));
    let longstanding = Probe::longstanding(&record);
    let mut probe = Probe::new(Protocol::embedded(), &record, &longstanding).expect("some visit counts");
    let sensation = probe.number("sensation-changed").expect("the protocol has it");
    assert!(probe.holds(sensation, Some(Side::Right)));
    assert!(!probe.holds(sensation, Some(Side::Left)));
    assert!(!probe.holds(sensation, None));
    assert_eq!(probe.number("no-such-finding"), None);
    assert_eq!(probe.run_grave(), 1);
}

#[test]
fn a_longstanding_problem_counts_from_its_first_signature() {
    let old = |at: &str| json!({"kind": "longstanding", "item": "bowel_control", "at": at, "by": "a", "note": "b"});
    let mut record = record(&[r#"v1.cauda_equina.bowel_control="yes""#]);
    record["adjudications"] =
        json!([old("2026-01-30T09:00:00Z"), old("2026-01-20T09:00:00Z"), old("2026-02-20T09:00:00Z")]);
    assert_eq!(status(&assess(&record), "cauda-equina-emergency"), None);
}

#[test]
fn the_schedule_keeps_to_its_boundaries() {
    let kind = |changes: &[&str]| assess(&record(changes)).next_visit.kind.as_str();
    let resolved = ["day=42", "v1.pain.leg.value=17"];
    assert_eq!(kind(&[resolved[0], resolved[1], "v1.odi=[1,1,1,1,1,1,1,1,1,1]"]), "none");
    assert_eq!(kind(&[resolved[0], resolved[1], "v1.odi=[1,1,1,1,1,1,1,1,1,2]"]), "three-monthly");
    let claim = r#"episode.workers_compensation="yes""#;
    assert_eq!(kind(&["day=13", claim]), "initial");
    assert_eq!(kind(&["day=14", claim]), "intensified");
    assert_eq!(kind(&["day=14"]), "six-week");
}
