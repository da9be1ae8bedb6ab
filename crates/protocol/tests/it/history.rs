//! Histories: latching, deadlines, the schedule, and a named visit.

use lasegue_protocol::assessment::Assessment;
use lasegue_protocol::record::{Side, SubmissionId};
use lasegue_protocol::{EvaluateError, Probe, Protocol, evaluate};
use serde_json::{Value, json};

use crate::rules::{base, change};
use crate::visits::{assess, find, parsed, record, respond_by, signed, status, with_visits};

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
fn a_result_comes_back_from_its_own_json() {
    let result = assess(&record(&["v1.reflexes.knee.right=0"]));
    let json = serde_json::to_string(&result).expect("a result is JSON");
    let back: Assessment = serde_json::from_str(&json).expect("it was one");
    assert_eq!(serde_json::to_string(&back).ok(), Some(json));
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
fn a_probe_knows_what_is_longstanding_and_finds_everything_anew() {
    let mut record =
        record(&[r#"v1.cauda_equina.bowel_control="yes""#, "v1.sensation.right.L5=1", "v1.sensation.left.L5=1"]);
    record["adjudications"] = json!([{"kind": "longstanding", "item": "bowel_control",
        "at": "2026-01-20T09:00:00Z", "by": "a", "note": "b"}]);
    let record = parsed(&record);
    let longstanding = Probe::longstanding(&record);
    let mut probe = Probe::new(Protocol::embedded(), &record, &longstanding).expect("some visit counts");
    let emergency = probe.number("cauda-equina-emergency").expect("the protocol has it");
    assert!(!probe.holds(emergency, None));
    assert_eq!(probe.run_grave(), 2);
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
