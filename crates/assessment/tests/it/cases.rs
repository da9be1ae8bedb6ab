//! The worked cases, told as events: nothing of a record is lost on the way, and nothing is added.

use axum::http::StatusCode;
use lasegue_contracts::event::Lane;
use lasegue_protocol::record::{Adjudication, Submission};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::records::{cases, expected, registered, submission_id, typed};
use crate::ward::Ward;

/// A record with every field there is.
fn everything() -> Value {
    let mut record = registered();
    record["episode"] = json!({
        "onset_date": "2025-11-01", "treatment_start": "2025-11-10", "time_zone": "America/New_York",
        "workers_compensation": "yes", "prior_low_back_pain": "no", "candidate_surgery": "unknown",
        "candidate_epidural": "yes", "plexus_uncertain": "no", "pregnant": "no", "conservative_failed": "unknown",
        "treatments": [
            { "date": "2025-11-10", "kind": "physiotherapy", "change": "start" },
            { "date": "2025-12-10", "kind": "epidural_injection", "change": "stop", "outcome": "failed" },
        ],
        "imaging": [
            { "date": "2025-12-01", "modality": "mri", "region": "lumbar", "lesion": "contained", "root": "R-L5",
              "concordant": "yes" },
            { "date": "2025-12-02", "modality": "xray", "region": "other" },
        ],
    });
    record["submissions"] = json!([full("first", "2026-01-10T09:00:00Z"), full("second", "2026-01-20T09:00:00Z")]);
    record["submissions"][1]["supersedes"] = json!(submission_id("first"));
    record["adjudications"] = json!([
        { "kind": "longstanding", "item": "bowel_control", "at": "2026-01-20T12:00:00Z", "by": "dr-a", "note": "old" },
        { "kind": "disposition", "code": "sensation-changed", "side": "left", "at": "2026-01-20T12:00:00Z",
          "by": "dr-a", "note": "seen" },
        { "kind": "disposition", "code": "cauda-equina-watch", "side": null, "at": "2026-01-20T12:00:00Z",
          "by": "dr-a", "note": "seen" },
    ]);
    record
}

fn full(name: &str, assessed_at: &str) -> Value {
    json!({
        "id": submission_id(name), "assessed_at": assessed_at, "received_at": "2026-01-20T10:00:00.123456Z",
        "author": "clinician",
        "pain": {
            "leg": { "scale": "vas", "value": 100 }, "back": { "scale": "nrs", "value": 0 },
            "dermatomes": ["R-L5", "R-S1"], "quality": [], "temporal": "night",
            "below_knee": { "left": "no", "right": "unknown" }, "dn4_interview": 7,
        },
        "motor": { "knee_extension": { "left": 5, "right": 0 }, "hip_flexion": { "left": 4 } },
        "motor_longstanding": ["left.hip_flexion"], "new_weakness": "unknown",
        "reflexes": { "knee": { "left": 2, "right": 0 }, "ankle": { "right": 4 } },
        "sensation": { "left": { "L1": 0, "S2": 2 }, "right": { "L5": 1 } },
        "straight_leg_raise": {
            "left": { "leg_pain": "yes", "angle_deg": 0, "crossed": "no" }, "right": { "leg_pain": "no" },
        },
        "cauda_equina": {
            "saddle_sensation": "no", "bowel_control": { "patient": "yes", "clinician": "no" },
            "sexual_dysfunction": { "patient": "unknown" }, "post_void_residual_ml": 0,
        },
        "odi": [0, 5, null, 1, 2, 3, 4, 5, null, 0],
        "work": { "status": "off_pain", "activity": "sedentary" },
        "walking": {
            "minutes": 0, "worse_walking": "yes", "worse_standing": "no", "relief_sitting": "unknown",
            "relief_flexion": "yes", "relief_standing_still": "no",
        },
        "serious": {
            "cancer_history": "no", "fever": "yes", "iv_drug_use": "unknown", "immunosuppressed": "no",
            "recent_infection_or_procedure": "yes", "weight_loss": "no", "night_pain": "yes", "anticoagulant": "no",
            "steroid": "unknown", "osteoporosis": "no", "temperature_c": 38.0,
        },
        "trauma": { "occurred": "yes", "date": "2026-01-05", "high_energy": "no", "fracture_suspected": "unknown" },
    })
}

/// The pieces as they must be kept, in any order.
fn kept(record: &Value) -> Vec<String> {
    let record = typed(record);
    let submission = |one: &Submission| serde_json::to_value(one).expect("JSON");
    let adjudication = |one: &Adjudication| serde_json::to_value(one).expect("JSON");
    let submissions = record.submissions.iter().map(submission);
    sorted(&submissions.chain(record.adjudications.iter().map(adjudication)).collect::<Vec<_>>())
}

fn sorted(values: &[Value]) -> Vec<String> {
    let mut texts: Vec<_> = values.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn a_record_told_as_events_is_kept_and_assessed_as_the_record_itself() {
    let ward = Ward::open().await;
    let mut records = cases();
    records.push(("everything".to_owned(), everything()));
    for (number, (name, record)) in (1..).zip(records) {
        let episode = Uuid::from_u128(number);
        ward.tell(episode, Lane::Live, &record).await;
        is_known(&ward, episode, &record, &name).await;
    }
    assert_eq!(ward.set_aside().await, [""; 0]);
}

/// The record is kept whole and its latest result is the clinical core's.
async fn is_known(ward: &Ward, episode: Uuid, record: &Value, name: &str) {
    assert_eq!(sorted(&ward.pieces(episode).await), kept(record), "{name}");
    let (status, mut result) = ward.get(episode, "").await;
    assert_eq!(status, StatusCode::OK, "{name}");
    result.as_object_mut().expect("an object").remove("revision");
    assert_eq!(result, serde_json::to_value(expected(record)).expect("JSON"), "{name}");
}

#[tokio::test]
async fn an_imported_record_is_one_evaluation_and_one_result() {
    let ward = Ward::open().await;
    let mut records = cases();
    records.push(("everything".to_owned(), everything()));
    for (number, (name, record)) in (1..).zip(records) {
        let episode = Uuid::from_u128(number);
        ward.import(episode, &record).await;
        is_known(&ward, episode, &record, &name).await;
        assert_eq!(ward.completed(episode).await.len(), 1, "{name}");
    }
    assert_eq!(ward.set_aside().await, [""; 0]);
}
