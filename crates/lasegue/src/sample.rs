//! Synthetic patients with plausible courses, for the demo, for trying the commands and for measuring.
//!
//! The same seed and end give the same records. Nobody in them is real.

mod course;
mod visit;

use chrono::{DateTime, Duration, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use self::course::Course;

/// `count` records whose last visit is before `until`, each complete in the public format.
pub(crate) fn records(seed: u64, count: usize, until: DateTime<Utc>) -> impl Iterator<Item = Value> {
    let mut random = StdRng::seed_from_u64(seed);
    (1..=count).map(move |number| record(&mut random, number, until))
}

fn record(random: &mut StdRng, number: usize, until: DateTime<Utc>) -> Value {
    let course = Course::draw(random);
    // The last visit lies at least eight days back: the past of a clinic, not its news.
    let treatment_start = until - Duration::days(8 + course.days_followed());
    let onset = treatment_start - Duration::days(random.random_range(5..40));
    let submissions: Vec<_> =
        course.days().map(|day| visit::submission(random, &course, treatment_start, day)).collect();
    json!({
        "format": "lasegue.record/1",
        "patient": { "id": format!("synthetic-{number:05}"), "birth_date": birth_date(random, until), "sex": course.sex() },
        "episode": {
            "id": format!("synthetic-{number:05}-1"),
            "onset_date": onset.date_naive(),
            "treatment_start": treatment_start.date_naive(),
            "time_zone": "Europe/London",
            "workers_compensation": yes_in(random, 12),
            "prior_low_back_pain": yes_in(random, 3),
            "candidate_surgery": yes_in(random, 3),
            "candidate_epidural": yes_in(random, 2),
            "plexus_uncertain": "no",
            "pregnant": "no",
            "conservative_failed": "no",
            "treatments": [
                { "date": treatment_start.date_naive(), "kind": "physiotherapy", "change": "start" },
                { "date": treatment_start.date_naive(), "kind": "nsaid", "change": "start" }
            ],
            "imaging": []
        },
        "submissions": submissions
    })
}

fn birth_date(random: &mut StdRng, until: DateTime<Utc>) -> String {
    let days = Duration::days(random.random_range(22 * 365..80 * 365));
    (until - days).date_naive().to_string()
}

/// Yes for one in `odds`, no for the others.
fn yes_in(random: &mut StdRng, odds: u32) -> &'static str {
    if random.random_ratio(1, odds) { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use lasegue_protocol::record::Record;

    use super::*;

    fn until() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn every_sample_is_a_record_that_the_parser_takes() {
        for sample in records(7, 300, until()) {
            if let Err(faults) = Record::parse(&sample) {
                panic!("{faults:?} in {sample}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_patients_and_another_seed_gives_others() {
        let some = |seed| records(seed, 20, until()).collect::<Vec<_>>();
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
    }

    #[test]
    fn no_visit_lies_within_the_last_week() {
        for sample in records(3, 100, until()) {
            for visit in sample["submissions"].as_array().expect("a list") {
                let at: DateTime<Utc> =
                    visit["assessed_at"].as_str().and_then(|at| at.parse().ok()).expect("an instant");
                assert!(at < until() - Duration::days(7));
            }
        }
    }
}
