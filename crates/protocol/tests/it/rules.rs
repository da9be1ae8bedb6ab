//! Every rule with what makes it fire, what just does not, and what is missing.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use lasegue_protocol::assessment::{Assessment, Finding};
use lasegue_protocol::record::{Record, Side};
use lasegue_protocol::{Protocol, evaluate};
use serde_json::{Value, json};

use crate::golden;

const TABLE: &str = include_str!("../rules.txt");
const MRI: &str = r#"episode.imaging=[{"date":"2026-01-12","modality":"mri","region":"lumbar","lesion":"contained","root":"R-L5","concordant":"yes"}]"#;

/// One line of the table.
struct Line<'t> {
    fires: bool,
    code: &'t str,
    side: Option<&'t str>,
    severity: Option<&'t str>,
    qualifier: Option<&'t str>,
    changes: &'t str,
}

impl<'t> Line<'t> {
    fn parse(line: &'t str) -> Self {
        let (head, changes) = line.split_once(':').expect("a line has changes");
        let mut words = head[2..].split_whitespace();
        let name = words.next().expect("a line has a code");
        let (code, side) = name.split_once('/').map_or((name, None), |(code, side)| (code, Some(side)));
        let rest: Vec<_> = words.collect();
        Self {
            fires: line.starts_with('+'),
            code,
            side,
            severity: rest.iter().copied().find(|word| !word.starts_with('~')),
            qualifier: rest.iter().find_map(|word| word.strip_prefix('~')),
            changes,
        }
    }

    fn fits(&self, finding: &Finding) -> bool {
        finding.code == self.code
            && finding.side.map(Side::as_str) == self.side
            && self.severity.is_none_or(|severity| finding.severity.as_str() == severity)
            && self.qualifier.is_none_or(|marked| finding.qualifiers.iter().any(|word| word == marked))
    }
}

fn lines() -> impl Iterator<Item = Line<'static>> {
    TABLE.lines().filter(|line| line.starts_with(['+', '-'])).map(Line::parse)
}

/// The calm patient: v0 on day 0 and v1 on day 20 of treatment.
pub(crate) fn base() -> Value {
    static BASE: OnceLock<Value> = OnceLock::new();
    BASE.get_or_init(calm).clone()
}

fn calm() -> Value {
    let (_, case) = golden::all().swap_remove(0);
    let mut record = case["record"].clone();
    let mut visit = record["submissions"][0].clone();
    visit["id"] = json!("v1");
    record["submissions"][1] = visit;
    move_to(&mut record, 20);
    record
}

fn move_to(record: &mut Value, day: i64) {
    let start = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("it exists");
    let time = json!(format!("{}T09:00:00Z", start + chrono::Duration::days(day)));
    record["submissions"][1]["assessed_at"] = time.clone();
    record["submissions"][1]["received_at"] = time;
}

pub(crate) fn change(record: &mut Value, change: &str) {
    if let Some(day) = change.strip_prefix("day=") {
        return move_to(record, day.parse().expect("a number"));
    }
    let (path, value) = match (change.strip_prefix('-'), change.split_once('=')) {
        (Some(path), _) => (path, None),
        (None, Some((path, value))) => (path, Some(serde_json::from_str(value).expect("a value is JSON"))),
        (None, None) => panic!("{change} is no change"),
    };
    let path = path.replace("v0", "submissions.0").replace("v1", "submissions.1");
    let mut place = record;
    let mut steps: Vec<&str> = path.split('.').collect();
    let last = steps.pop().expect("a path has an end");
    for step in steps {
        place = match step.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[step],
        };
    }
    if let Some(value) = value {
        place[last] = value;
        return;
    }
    let gone = place.as_object_mut().and_then(|fields| fields.remove(last));
    assert!(gone.is_some(), "{change} takes nothing away");
}

fn assess(changes: &str) -> Assessment {
    assess_by(Protocol::embedded(), base(), changes)
}

fn assess_by(protocol: &Protocol, mut record: Value, changes: &str) -> Assessment {
    for one in changes.split(';').map(str::trim).filter(|one| !one.is_empty()) {
        change(&mut record, if one == "@mri" { MRI } else { one });
    }
    let record = Record::parse(&record).unwrap_or_else(|faults| panic!("{changes}: {faults:?}"));
    evaluate(protocol, &record, None).expect("it can be evaluated")
}

/// Every line of the table that does not hold for a protocol.
pub(crate) fn wrong(protocol: &Protocol) -> Vec<String> {
    let base = base();
    let mut wrong = Vec::new();
    for line in lines() {
        let result = assess_by(protocol, base.clone(), line.changes);
        if result.findings.iter().any(|finding| line.fits(finding)) != line.fires {
            let word = if line.fires { "should" } else { "should not" };
            wrong.push(format!("{} {word} fire:{}", line.code, line.changes));
        }
    }
    wrong
}

#[test]
fn every_line_of_the_table_holds() {
    let wrong = wrong(Protocol::embedded());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_both_ways_for_every_finding() {
    let ways = |fires| lines().filter(move |line| line.fires == fires).map(|line| line.code);
    let all: BTreeSet<&str> = Protocol::embedded().codes().collect();
    assert_eq!(ways(true).collect::<BTreeSet<_>>(), all);
    assert_eq!(ways(false).collect::<BTreeSet<_>>(), all);
}

#[test]
fn the_calm_patient_has_nothing_above_info() {
    let calm = assess("");
    assert!(calm.findings.iter().all(|finding| finding.severity.as_str() == "info"));
    assert!(calm.unanswered.is_empty(), "{:?}", calm.unanswered);
}

#[test]
fn what_was_not_answered_is_listed() {
    let changes = "-v1.pain.leg; -v1.pain.dermatomes; -v1.motor.knee_extension.left; -v1.reflexes.ankle.right; \
        -v1.sensation.left.S2; -v1.straight_leg_raise.left; v1.cauda_equina.bowel_control=\"unknown\"; -v1.odi; \
        -v1.work; -v1.serious.fever; -v1.walking.worse_walking; -episode.pregnant; patient.sex=\"female\"; \
        -patient.birth_date; v1.trauma={\"occurred\":\"yes\"}; -v1.new_weakness";
    let expected = [
        "cauda_equina.bowel_control",
        "episode.pregnant",
        "motor.knee_extension.left",
        "new_weakness",
        "odi",
        "pain.dermatomes",
        "pain.leg",
        "patient.birth_date",
        "reflexes.ankle.right",
        "sensation.left.S2",
        "serious.fever",
        "straight_leg_raise.left.leg_pain",
        "trauma.date",
        "trauma.fracture_suspected",
        "trauma.high_energy",
        "walking.worse_walking",
        "work.status",
    ];
    assert_eq!(assess(changes).unanswered, expected);
    let by_the_patient = "v1.author=\"patient\"; -v1.motor; -v1.reflexes; -v1.sensation; -v1.straight_leg_raise";
    assert_eq!(assess(by_the_patient).unanswered, Vec::<String>::new(), "nobody examines oneself");
}
