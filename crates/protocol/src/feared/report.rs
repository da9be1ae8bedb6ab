//! The gathered signs as a submission, so that the one parser and the one engine judge them.

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value, json};

use super::walk::Signs;
use crate::record::{Author, Draft, Episode, Patient, Record, Report, Submission, SubmissionId, parse_submission};

/// The signs as a draft. What lies beyond the record's range stands at its end.
pub(super) fn draft(signs: &Signs) -> Draft {
    let items = signs.items.iter().map(|item| (item.as_str().to_owned(), json!("yes")));
    let mut cauda_equina: Map<_, _> = items.collect();
    if let Some(residual) = signs.residual {
        #[expect(clippy::cast_possible_truncation, reason = "0 to 2000, rounded down")]
        let residual = residual.clamp(0.0, 2_000.0) as i64;
        cauda_equina.insert("post_void_residual_ml".to_owned(), json!(residual));
    }
    let mut body = json!({ "cauda_equina": cauda_equina, "motor": {}, "serious": {} });
    for ((movement, side), grade) in &signs.strength {
        body["motor"][movement.as_str()][*side] = json!(grade);
    }
    for answer in &signs.answers {
        *place(&mut body, answer) = json!("yes");
    }
    if let Some(temperature) = signs.temperature.filter(|celsius| *celsius >= 30.0) {
        body["serious"]["temperature_c"] = json!(temperature.min(45.0));
    }
    parse_submission(&body).value
}

fn place<'a>(body: &'a mut Value, answer: &str) -> &'a mut Value {
    if answer == "new_weakness" { &mut body[answer] } else { &mut body["serious"][answer] }
}

/// A record of one visit that reports `report`, and of which nothing else is known.
pub(super) fn record(report: Report) -> Record {
    let submission = Submission {
        id: SubmissionId("refused".to_owned()),
        assessed_at: DateTime::UNIX_EPOCH.fixed_offset(),
        received_at: None,
        author: Author::Ehr,
        supersedes: None,
        report,
        revision: 0,
    };
    Record { patient: Patient::default(), episode: episode(), submissions: vec![submission], adjudications: Vec::new() }
}

/// An episode that began on the day of its only visit.
fn episode() -> Episode {
    let day = NaiveDate::default();
    Episode {
        id: None,
        onset_date: day,
        treatment_start: day,
        time_zone: None,
        workers_compensation: None,
        prior_low_back_pain: None,
        candidate_surgery: None,
        candidate_epidural: None,
        plexus_uncertain: None,
        pregnant: None,
        conservative_failed: None,
        treatments: Vec::new(),
        imaging: Vec::new(),
    }
}
