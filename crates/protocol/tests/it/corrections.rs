//! Submissions that were replaced or voided.

use serde_json::{Value, json};

use crate::rules::change;
use crate::visits::{assess, course, record, respond_by, signed, status, with_visits};

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
fn a_replaced_visit_is_judged_against_what_came_before_it() {
    let weaker = ["v1.motor.knee_extension.left=4", "v1.motor.great_toe_extension.left=4"];
    for replacement in ["2026-01-10T09:00:00Z", "2026-01-25T09:00:00Z"] {
        let mut record = with_visits(&record(&weaker), &[("w1", replacement)]);
        record["submissions"][2]["supersedes"] = json!("v1");
        let result = assess(&record);
        assert_eq!(status(&result, "motor-deficit-severe"), Some("corrected-pending"), "{replacement}");
    }
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
fn an_emergency_that_two_corrections_took_away_is_due_since_the_first() {
    let numb = json!({"cauda_equina": {"saddle_sensation": "yes"}});
    let mut record = course(
        &[("02", "02", numb.clone()), ("04", "04", numb), ("05", "05", json!({})), ("06", "06", json!({}))],
        &[],
    );
    record["submissions"][2]["supersedes"] = json!("v0");
    record["submissions"][3]["supersedes"] = json!("v1");
    let result = assess(&record);
    assert_eq!(status(&result, "cauda-equina-emergency"), Some("corrected-pending"));
    assert_eq!(respond_by(&result, "cauda-equina-emergency"), "2026-01-02T09:00:00+00:00");
}

fn longstanding(at: &str, received: &str) -> Value {
    json!({"kind": "longstanding", "item": "bowel_control", "by": "a", "note": "since birth",
        "at": format!("2026-01-{at}T08:00:00Z"), "received_at": format!("2026-01-{received}T08:00:00Z")})
}

#[test]
fn an_emergency_that_a_symptom_declared_old_takes_away_still_wants_a_signature() {
    let incontinent = json!({"cauda_equina": {"bowel_control": "yes"}});
    let visits = [("05", "05", incontinent.clone()), ("07", "07", incontinent)];
    let mut adjudications = vec![longstanding("01", "06")];
    let result = assess(&course(&visits, &adjudications));
    assert_eq!(status(&result, "cauda-equina-emergency"), Some("corrected-pending"));
    assert_eq!(respond_by(&result, "cauda-equina-emergency"), "2026-01-05T09:00:00+00:00");
    adjudications.push(signed("cauda-equina-emergency", &Value::Null, "2026-01-05T08:59:59Z"));
    assert_eq!(status(&assess(&course(&visits, &adjudications)), "cauda-equina-emergency"), Some("corrected-pending"));
    adjudications.push(signed("cauda-equina-emergency", &Value::Null, "2026-01-06T09:00:00Z"));
    assert_eq!(status(&assess(&course(&visits, &adjudications)), "cauda-equina-emergency"), None);
}

#[test]
fn a_symptom_declared_old_before_the_visit_came_in_raises_nothing() {
    let incontinent = json!({"cauda_equina": {"bowel_control": "yes"}});
    let result = assess(&course(&[("05", "05", incontinent)], &[longstanding("01", "05")]));
    assert_eq!(status(&result, "cauda-equina-emergency"), None);
}

#[test]
fn an_emergency_with_another_ground_than_the_one_declared_old_is_shown_once() {
    let both = json!({"cauda_equina": {"bowel_control": "yes", "saddle_sensation": "yes"}});
    let result = assess(&course(&[("05", "05", both)], &[longstanding("01", "06")]));
    assert_eq!(status(&result, "cauda-equina-emergency"), Some("new"));
}
