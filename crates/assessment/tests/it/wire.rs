//! From the public JSON to the events that intake makes of it: a second writer, so that none proves itself.

use std::collections::BTreeMap;

use lasegue_contracts::intake::{self as proto, adjudication_recorded::Decision};
use lasegue_platform::wire::timestamp;
use prost_types::Timestamp;
use serde_json::Value;

pub(crate) fn patient(patient: &Value) -> proto::Patient {
    let sex = match text(&patient["sex"]).as_deref() {
        Some("male") => proto::Sex::Male,
        Some("female") => proto::Sex::Female,
        Some("other") => proto::Sex::Other,
        Some("unknown") => proto::Sex::Unknown,
        _ => proto::Sex::Unspecified,
    };
    proto::Patient { birth_date: text(&patient["birth_date"]), sex: sex.into() }
}

pub(crate) fn episode(episode: &Value) -> proto::Episode {
    let treatment = |entry: &Value| proto::Treatment {
        date: word(&entry["date"]),
        kind: word(&entry["kind"]),
        change: word(&entry["change"]),
        outcome: text(&entry["outcome"]),
    };
    let imaging = |entry: &Value| proto::Imaging {
        date: word(&entry["date"]),
        modality: word(&entry["modality"]),
        region: word(&entry["region"]),
        lesion: text(&entry["lesion"]),
        root: text(&entry["root"]),
        concordant: answer(&entry["concordant"]),
    };
    proto::Episode {
        onset_date: word(&episode["onset_date"]),
        treatment_start: word(&episode["treatment_start"]),
        time_zone: word(&episode["time_zone"]),
        workers_compensation: answer(&episode["workers_compensation"]),
        prior_low_back_pain: answer(&episode["prior_low_back_pain"]),
        candidate_surgery: answer(&episode["candidate_surgery"]),
        candidate_epidural: answer(&episode["candidate_epidural"]),
        plexus_uncertain: answer(&episode["plexus_uncertain"]),
        pregnant: answer(&episode["pregnant"]),
        conservative_failed: answer(&episode["conservative_failed"]),
        treatments: list(&episode["treatments"]).iter().map(treatment).collect(),
        imaging: list(&episode["imaging"]).iter().map(imaging).collect(),
    }
}

pub(crate) fn submission(body: &Value) -> proto::Submission {
    let author = match word(&body["author"]).as_str() {
        "patient" => proto::Author::Patient,
        "clinician" => proto::Author::Clinician,
        _ => proto::Author::Ehr,
    };
    proto::Submission {
        id: word(&body["id"]),
        assessed_at: instant(&body["assessed_at"]),
        received_at: instant(&body["received_at"]),
        author: author.into(),
        supersedes: text(&body["supersedes"]),
        pain: block(&body["pain"], pain),
        motor: entries(&body["motor"], grades),
        motor_longstanding: words(&body["motor_longstanding"]),
        new_weakness: answer(&body["new_weakness"]),
        reflexes: entries(&body["reflexes"], grades),
        sensation: block(&body["sensation"], |sensation| proto::Sensation {
            left: entries(&sensation["left"], grade),
            right: entries(&sensation["right"], grade),
        }),
        straight_leg_raise: block(&body["straight_leg_raise"], |raise| proto::StraightLegRaise {
            left: block(&raise["left"], leg_raise),
            right: block(&raise["right"], leg_raise),
        }),
        cauda_equina: block(&body["cauda_equina"], cauda_equina),
        odi: block(&body["odi"], |odi| proto::Odi {
            items: list(odi).iter().map(|score| proto::OdiItem { score: number(score) }).collect(),
        }),
        work: block(&body["work"], |work| proto::Work {
            status: text(&work["status"]),
            activity: text(&work["activity"]),
        }),
        walking: block(&body["walking"], walking),
        serious: block(&body["serious"], serious),
        trauma: block(&body["trauma"], |trauma| proto::Trauma {
            occurred: answer(&trauma["occurred"]),
            date: text(&trauma["date"]),
            high_energy: answer(&trauma["high_energy"]),
            fracture_suspected: answer(&trauma["fracture_suspected"]),
        }),
    }
}

pub(crate) fn adjudication(episode_id: String, adjudication_id: String, body: &Value) -> proto::AdjudicationRecorded {
    let decision = match word(&body["kind"]).as_str() {
        "disposition" => {
            Decision::Disposition(proto::Disposition { code: word(&body["code"]), side: word(&body["side"]) })
        }
        "void" => Decision::Void(proto::Void { submission_id: word(&body["submission"]) }),
        _ => Decision::Longstanding(proto::Longstanding { item: word(&body["item"]) }),
    };
    proto::AdjudicationRecorded {
        episode_id,
        adjudication_id,
        at: instant(&body["at"]),
        by: word(&body["by"]),
        note: word(&body["note"]),
        decision: Some(decision),
        received_at: instant(&body["received_at"]),
        seen_revision: None,
    }
}

fn pain(pain: &Value) -> proto::Pain {
    let score = |score: &Value| proto::Score {
        scale: word(&score["scale"]),
        value: number(&score["value"]).expect("a score has a value"),
    };
    let list_of = |value: &Value| proto::Words { words: words(value) };
    proto::Pain {
        leg: block(&pain["leg"], score),
        back: block(&pain["back"], score),
        dermatomes: block(&pain["dermatomes"], list_of),
        quality: block(&pain["quality"], list_of),
        temporal: text(&pain["temporal"]),
        below_knee: block(&pain["below_knee"], |sides| proto::AnswerBySide {
            left: answer(&sides["left"]),
            right: answer(&sides["right"]),
        }),
        dn4_interview: number(&pain["dn4_interview"]),
    }
}

fn leg_raise(side: &Value) -> proto::LegRaise {
    proto::LegRaise {
        leg_pain: answer(&side["leg_pain"]),
        angle_deg: number(&side["angle_deg"]),
        crossed: answer(&side["crossed"]),
    }
}

fn cauda_equina(screen: &Value) -> proto::CaudaEquina {
    let mut items = entries(screen, |given| proto::Reported {
        single: answer(given),
        patient: answer(&given["patient"]),
        clinician: answer(&given["clinician"]),
    });
    items.remove("post_void_residual_ml");
    proto::CaudaEquina { items, post_void_residual_ml: number(&screen["post_void_residual_ml"]) }
}

fn walking(walking: &Value) -> proto::Walking {
    proto::Walking {
        minutes: number(&walking["minutes"]),
        worse_walking: answer(&walking["worse_walking"]),
        worse_standing: answer(&walking["worse_standing"]),
        relief_sitting: answer(&walking["relief_sitting"]),
        relief_flexion: answer(&walking["relief_flexion"]),
        relief_standing_still: answer(&walking["relief_standing_still"]),
    }
}

fn serious(serious: &Value) -> proto::Serious {
    proto::Serious {
        cancer_history: answer(&serious["cancer_history"]),
        fever: answer(&serious["fever"]),
        iv_drug_use: answer(&serious["iv_drug_use"]),
        immunosuppressed: answer(&serious["immunosuppressed"]),
        recent_infection_or_procedure: answer(&serious["recent_infection_or_procedure"]),
        weight_loss: answer(&serious["weight_loss"]),
        night_pain: answer(&serious["night_pain"]),
        anticoagulant: answer(&serious["anticoagulant"]),
        steroid: answer(&serious["steroid"]),
        osteoporosis: answer(&serious["osteoporosis"]),
        temperature_c: serious["temperature_c"].as_number().map(ToString::to_string),
    }
}

fn grades(sides: &Value) -> proto::Grades {
    proto::Grades { left: number(&sides["left"]), right: number(&sides["right"]) }
}

fn grade(value: &Value) -> u32 {
    number(value).expect("a grade is a number")
}

fn answer(value: &Value) -> i32 {
    match value.as_str() {
        Some("yes") => proto::Answer::Yes,
        Some("no") => proto::Answer::No,
        Some("unknown") => proto::Answer::Unknown,
        _ => proto::Answer::Unspecified,
    }
    .into()
}

pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    let at = value.as_str()?.parse::<chrono::DateTime<chrono::Utc>>().expect("a time with its offset");
    Some(timestamp(at))
}

fn block<M>(value: &Value, read: impl Fn(&Value) -> M) -> Option<M> {
    (!value.is_null()).then(|| read(value))
}

fn entries<M>(value: &Value, read: impl Fn(&Value) -> M) -> BTreeMap<String, M> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), read(value))).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn words(value: &Value) -> Vec<String> {
    list(value).iter().map(word).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn word(value: &Value) -> String {
    text(value).unwrap_or_default()
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().map(|number| number.try_into().expect("a small number"))
}
