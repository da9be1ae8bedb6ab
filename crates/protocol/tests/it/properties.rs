//! What must hold for every record, tried on thousands of synthetic ones.

use std::collections::{BTreeMap, BTreeSet};

use lasegue_protocol::assessment::{Assessment, Finding, Severity};
use lasegue_protocol::record::{Record, Side};
use lasegue_protocol::{Protocol, evaluate};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{fields, generate};

fn assess(record: &Value) -> Option<Assessment> {
    let record = Record::parse(record).expect("the generator makes valid records");
    evaluate(Protocol::embedded(), &record, None).ok()
}

type Key = (String, Option<Side>);

/// Emergencies and urgent findings with their severity.
fn grave(assessment: &Assessment) -> BTreeMap<Key, Severity> {
    let grave = assessment.findings.iter().filter(|finding| finding.severity.is_grave());
    grave.map(|finding| ((finding.code.clone(), finding.side), finding.severity)).collect()
}

/// What is asked, and about what.
fn asks(assessment: &Assessment) -> BTreeSet<String> {
    let is_ask = |finding: &&Finding| finding.code.ends_with("-unknown") || finding.code.ends_with("-not-excluded");
    let asks = assessment.findings.iter().filter(is_ask);
    asks.map(|ask| format!("{} {:?} {} {:?}", ask.code, ask.side, ask.text, ask.evidence)).collect()
}

/// Grave findings that are missing or less grave than before, and have not given way to a graver one.
fn lowered(before: &Assessment, after: &Assessment) -> Vec<Key> {
    let mut met = after.findings.iter().filter(|finding| finding.met);
    let emergency = met.any(|finding| finding.code == "cauda-equina-emergency");
    let gave_way = |code: &str| emergency && ["cauda-equina-watch", "cauda-equina-not-excluded"].contains(&code);
    let after = grave(after);
    let less = |(key, severity): &(&Key, &Severity)| after.get(key).is_none_or(|now| now > severity);
    let before = grave(before);
    let lost = before.iter().filter(less).map(|(key, _)| key.clone());
    lost.filter(|(code, _)| !gave_way(code)).collect()
}

/// The record with its fields of left and right exchanged.
fn mirrored(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let swapped = fields.iter().map(|(name, inner)| (mirrored_word(name), mirrored(inner)));
            Value::Object(swapped.collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(mirrored).collect()),
        Value::String(word) => json!(mirrored_word(word)),
        other => other.clone(),
    }
}

fn mirrored_word(word: &str) -> String {
    for (one, other) in [("left", "right"), ("right", "left")] {
        if word == one || word.starts_with(&format!("{one}.")) {
            return word.replacen(one, other, 1);
        }
    }
    match word.split_at_checked(2) {
        Some(("L-", root)) => format!("R-{root}"),
        Some(("R-", root)) => format!("L-{root}"),
        _ => word.to_owned(),
    }
}

/// What an assessment says, without words and evidence.
fn essence(assessment: &Assessment) -> (BTreeSet<String>, String) {
    let finding = |finding: &Finding| {
        format!(
            "{} {:?} {} {} {:?} {:?} {:?}",
            finding.code,
            finding.side,
            finding.severity,
            finding.status,
            finding.qualifiers,
            finding.suppressed_by,
            finding.respond_by,
        )
    };
    let findings = assessment.findings.iter().map(finding).collect();
    (findings, format!("{:?}", assessment.next_visit))
}

/// A record and its assessment, when some submission of it counts.
fn case() -> impl Strategy<Value = (u64, Value, Assessment)> {
    (any::<u64>(), 1_usize..7).prop_filter_map("nothing counts", |(seed, visits)| {
        let record = generate::record(seed, visits);
        let assessment = assess(&record)?;
        Some((seed, record, assessment))
    })
}

fn latest(record: &Value, assessment: &Assessment) -> usize {
    let submissions = record["submissions"].as_array().expect("it is a list");
    let latest = |submission: &Value| submission["id"] == assessment.visit.0.as_str();
    submissions.iter().position(latest).expect("the evaluated visit is in the record")
}

/// Optional measurements have no question of their own.
fn has_no_question(path: &[String], author: &Value) -> bool {
    let optional = ["hip_flexion", "temperature_c", "post_void_residual_ml", "time_zone"];
    let examination = ["motor", "reflexes", "sensation", "straight_leg_raise"];
    let listed = ["dermatomes", "quality", "odi", "treatments", "imaging", "motor_longstanding"];
    let any = |names: &[&str]| path.iter().any(|part| names.contains(&part.as_str()));
    let dates = ["onset_date", "treatment_start", "received_at", "supersedes"];
    any(&optional) || any(&listed) || any(&dates) || (author == "patient" && any(&examination))
}

proptest! {

    #[test]
    fn no_missing_field_takes_a_danger_away_without_a_question((_, record, before) in case()) {
        let visit = latest(&record, &before);
        let author = record["submissions"][visit]["author"].clone();
        let blocks = [
            format!("/submissions/{visit}"),
            "/episode".to_owned(),
            "/patient".to_owned(),
        ];
        for pointer in blocks {
            let block = record.pointer(&pointer).expect("it is there");
            for path in fields::of(block) {
                if has_no_question(&path, &author) || ["id", "assessed_at", "author"].contains(&path[0].as_str()) {
                    continue;
                }
                let mut without = record.clone();
                fields::delete(without.pointer_mut(&pointer).expect("it is there"), &path);
                let after = assess(&without).expect("it still counts");
                let lost = lowered(&before, &after);
                let asks = asks(&after).difference(&asks(&before)).next().is_some();
                prop_assert!(lost.is_empty() || asks, "{path:?} hides {lost:?}");
            }
        }
    }

    #[test]
    fn exchanging_left_and_right_exchanges_the_result((_, record, before) in case()) {
        let after = assess(&mirrored(&record)).expect("it counts on either side");
        let mut findings = before.findings.clone();
        for finding in &mut findings {
            finding.side = finding.side.map(Side::other);
        }
        let swapped = Assessment { findings, ..before };
        prop_assert_eq!(essence(&swapped), essence(&after));
    }

    #[test]
    fn the_order_of_arrival_does_not_matter((seed, record, before) in case()) {
        let mut shuffled = record.clone();
        let mut dice = generate::Dice::new(seed);
        for list in ["submissions", "adjudications"] {
            let list = shuffled[list].as_array_mut().expect("it is a list");
            for index in (1..list.len()).rev() {
                list.swap(index, dice.below(index + 1));
            }
        }
        let after = assess(&shuffled).expect("it counts in any order");
        prop_assert_eq!(json!(before).to_string(), json!(after).to_string());
    }

    #[test]
    fn a_second_run_is_byte_identical((_, record, before) in case()) {
        let after = assess(&record).expect("it counts again");
        prop_assert_eq!(json!(before).to_string(), json!(after).to_string());
    }

    #[test]
    fn elective_facts_never_delay_or_lower_a_danger((seed, record, before) in case()) {
        let mut dice = generate::Dice::new(seed);
        let changes = [
            ("/patient/birth_date", json!(dice.pick(&["1930-01-01", "2015-01-01"]))),
            ("/episode/pregnant", json!("yes")),
            ("/episode/workers_compensation", json!("yes")),
            ("/episode/candidate_surgery", json!("yes")),
            ("/episode/candidate_epidural", json!("no")),
            ("/episode/plexus_uncertain", json!("yes")),
            ("/episode/conservative_failed", json!("yes")),
            ("/episode/prior_low_back_pain", json!("yes")),
            ("/patient/sex", json!("female")),
        ];
        for (pointer, value) in changes {
            let (block, name) = pointer.rsplit_once('/').expect("a field");
            let mut changed = record.clone();
            changed.pointer_mut(block).expect("it is there")[name] = value;
            let after = assess(&changed).expect("it still counts");
            let lost: Vec<_> = lowered(&before, &after);
            let lost: Vec<_> = lost.into_iter().filter(|(code, _)| code != "fracture-suspected").collect();
            prop_assert!(lost.is_empty(), "{pointer} lowers {lost:?}");
            for finding in &before.findings {
                let same = |other: &&Finding| (&other.code, other.side) == (&finding.code, finding.side);
                if let Some(now) = after.findings.iter().find(same) && finding.severity.is_grave() {
                    prop_assert!(now.respond_by <= finding.respond_by, "{pointer} delays");
                }
            }
        }
    }

    #[test]
    fn an_injury_never_delays_or_lowers_a_danger((_, record, before) in case()) {
        let visit = latest(&record, &before);
        let mut changed = record.clone();
        changed["submissions"][visit]["trauma"] = json!({"occurred": "yes", "date": "2026-01-01",
            "high_energy": "yes", "fracture_suspected": "yes"});
        let after = assess(&changed).expect("it still counts");
        let lost = lowered(&before, &after);
        let lost: Vec<_> = lost.into_iter().filter(|(code, _)| !code.starts_with("serious") && code != "fracture-suspected").collect();
        prop_assert!(lost.is_empty(), "an injury lowers {lost:?}");
    }

    #[test]
    fn sex_and_compensation_change_only_information_and_the_schedule((_, mut record, _) in case()) {
        if record["episode"]["pregnant"] != "yes" {
            record["episode"]["pregnant"] = json!("no");
        }
        let above_info = |record: &Value| {
            let mut assessment = assess(record).expect("it counts");
            assessment.findings.retain(|finding| finding.severity != Severity::Info);
            essence(&assessment).0
        };
        let with = |pointer: &str, name: &str, value: &str| {
            let mut changed = record.clone();
            changed[pointer][name] = json!(value);
            above_info(&changed)
        };
        prop_assert_eq!(with("patient", "sex", "male"), with("patient", "sex", "female"));
        let claim = |answer| with("episode", "workers_compensation", answer);
        prop_assert_eq!(claim("yes"), claim("no"));
    }
}
