//! One visit of a synthetic patient: a clinician's full examination, or a form sent from home.

use chrono::{DateTime, Duration, NaiveTime, Utc};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::course::Course;

pub(super) fn submission(random: &mut StdRng, course: &Course, treatment_start: DateTime<Utc>, day: i64) -> Value {
    let hour = NaiveTime::from_hms_opt(random.random_range(9..16), random.random_range(0..60), 0).unwrap_or_default();
    let at = (treatment_start + Duration::days(day)).date_naive().and_time(hour).and_utc();
    let mut visit = json!({
        "id": format!("day-{day}"),
        "assessed_at": at,
        "received_at": at + Duration::minutes(2),
        "author": "clinician",
        "pain": pain(random, course, day),
        "cauda_equina": calm_cauda_equina(),
        "odi": odi(random, course, day),
        "work": { "status": "modified", "activity": "light" },
        "walking": {
            "minutes": 60, "worse_walking": "no", "worse_standing": "no",
            "relief_sitting": "no", "relief_flexion": "no", "relief_standing_still": "no"
        },
        "serious": calm_serious(),
        "trauma": { "occurred": "no" },
        "new_weakness": "no"
    });
    merge(&mut visit, examination(course));
    visit
}

fn pain(random: &mut StdRng, course: &Course, day: i64) -> Value {
    let leg = (course.leg_pain(day) + random.random_range(-4..=4)).clamp(0, 100);
    let side = if course.side == "left" { "L" } else { "R" };
    let (left, right) = if course.side == "left" { ("yes", "no") } else { ("no", "yes") };
    json!({
        "leg": { "scale": "vas", "value": leg },
        "back": { "scale": "nrs", "value": random.random_range(1..5) },
        "dermatomes": [format!("{side}-{}", course.root)],
        "quality": ["electric", "tingling"],
        "temporal": "intermittent",
        "below_knee": { "left": left, "right": right }
    })
}

fn odi(random: &mut StdRng, course: &Course, day: i64) -> Vec<i64> {
    (0..10).map(|_| (course.disability(day) + random.random_range(-1..=1)).clamp(0, 5)).collect()
}

/// No sign of cauda equina compression.
pub(crate) fn calm_cauda_equina() -> Value {
    json!({
        "saddle_sensation": "no", "starting_urine": "no", "urine_flow_sensation": "no", "urinary_retention": "no",
        "urinary_leakage": "no", "rectal_fullness_sensation": "no", "bowel_control": "no", "bilateral_weakness": "no",
        "sexual_dysfunction": "no", "new_bilateral_leg_pain": "no"
    })
}

/// No sign of serious pathology.
pub(crate) fn calm_serious() -> Value {
    json!({
        "cancer_history": "no", "fever": "no", "iv_drug_use": "no", "immunosuppressed": "no",
        "recent_infection_or_procedure": "no", "weight_loss": "no", "night_pain": "no", "anticoagulant": "no",
        "steroid": "no", "osteoporosis": "no"
    })
}

fn examination(course: &Course) -> Value {
    let full = json!({ "left": 5, "right": 5 });
    let brisk = json!({ "left": 2, "right": 2 });
    let normal = json!({ "L1": 0, "L2": 0, "L3": 0, "L4": 0, "L5": 0, "S1": 0, "S2": 0 });
    let raised = |side: &str| {
        let positive = side == course.side;
        json!({ "leg_pain": if positive { "yes" } else { "no" }, "angle_deg": if positive { 55 } else { 80 }, "crossed": "no" })
    };
    json!({
        "motor": {
            "knee_extension": full, "ankle_dorsiflexion": full, "great_toe_extension": full, "ankle_plantarflexion": full
        },
        "reflexes": { "knee": brisk, "ankle": brisk },
        "sensation": { "left": normal, "right": normal },
        "straight_leg_raise": { "left": raised("left"), "right": raised("right") }
    })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
