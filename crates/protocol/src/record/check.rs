//! What only the parts of a record together can show to be wrong.
//!
//! Assessment does not depend on these checks: pieces that were accepted one by one are always
//! evaluated.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::replacement::{in_circles, links};
use super::{Decision, Fault, Record, Submission};

/// Checks a parsed record as a whole.
///
/// Refused are two submissions with one id, a `supersedes` or a `void` that names no submission,
/// submissions that replace each other in a circle, a birth after the onset, any date later
/// than the latest time in the record.
pub fn check_record(record: &Record) -> Vec<Fault> {
    let mut faults = repeated_ids(&record.submissions);
    faults.extend(replacements(&record.submissions));
    faults.extend(voids(record));
    faults.extend(birth(record));
    faults.extend(before_birth(record));
    faults.extend(later_than_the_record(record));
    faults
}

/// What is wrong with a time at which the patient was not born.
pub const BEFORE_BIRTH: &str = "is before the patient's birth";

fn fault(pointer: String, reason: impl Into<String>) -> Fault {
    let reason = reason.into();
    Fault { pointer, reason }
}

fn repeated_ids(submissions: &[Submission]) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (index, submission) in submissions.iter().enumerate() {
        if !seen.insert(&submission.id) {
            let pointer = format!("/submissions/{index}/id");
            faults.push(fault(pointer, "is the id of an earlier submission too"));
        }
    }
    faults
}

fn replacements(submissions: &[Submission]) -> Vec<Fault> {
    let replaces = links(submissions);
    let circles = in_circles(&replaces);
    let mut faults = Vec::new();
    for (index, submission) in submissions.iter().enumerate() {
        let pointer = || format!("/submissions/{index}/supersedes");
        match &submission.supersedes {
            Some(old) if !replaces.contains_key(old) => {
                faults.push(fault(pointer(), "names no submission of the record"));
            }
            Some(_) if circles.contains(&submission.id) => {
                faults.push(fault(pointer(), "makes the submission replace itself"));
            }
            _ => {}
        }
    }
    faults
}

fn voids(record: &Record) -> Vec<Fault> {
    let known: BTreeSet<_> = record.submissions.iter().map(|s| &s.id).collect();
    let mut faults = Vec::new();
    for (index, adjudication) in record.adjudications.iter().enumerate() {
        if let Decision::Void { submission } = &adjudication.decision
            && !known.contains(submission)
        {
            let pointer = format!("/adjudications/{index}/submission");
            faults.push(fault(pointer, "names no submission of the record"));
        }
    }
    faults
}

fn birth(record: &Record) -> Option<Fault> {
    let birth = record.patient.birth_date?;
    let onset = record.episode.onset_date;
    (birth > onset).then(|| fault("/patient/birth_date".to_owned(), format!("is after the onset on {onset}")))
}

/// Nobody is examined, and nothing signed about anybody, before the day of birth.
fn before_birth(record: &Record) -> Vec<Fault> {
    let Some(birth) = record.patient.birth_date else { return Vec::new() };
    let times =
        record.submissions.iter().enumerate().map(|(n, s)| (format!("/submissions/{n}/assessed_at"), s.assessed_at));
    let signed = record.adjudications.iter().enumerate().map(|(n, a)| (format!("/adjudications/{n}/at"), a.at));
    let too_early = times.chain(signed).filter(|(_, at)| record.episode.local_day(*at) < birth);
    too_early.map(|(pointer, _)| fault(pointer, BEFORE_BIRTH)).collect()
}

fn later_than_the_record(record: &Record) -> Vec<Fault> {
    let submitted = record.submissions.iter().flat_map(|s| [s.assessed_at, s.known_at()]);
    let decided = record.adjudications.iter().map(|a| a.at);
    let Some(latest) = submitted.chain(decided).max() else {
        return Vec::new();
    };
    let latest = record.episode.local_day(latest);
    dates(record)
        .into_iter()
        .filter(|(_, date)| *date > latest)
        .map(|(pointer, _)| {
            let reason = format!("is later than the latest time of the record, {latest}");
            fault(pointer, reason)
        })
        .collect()
}

fn dates(record: &Record) -> Vec<(String, NaiveDate)> {
    let episode = &record.episode;
    let mut dates = vec![
        ("/episode/onset_date".to_owned(), episode.onset_date),
        ("/episode/treatment_start".to_owned(), episode.treatment_start),
    ];
    let mut list = |name: &str, entries: Vec<Option<NaiveDate>>| {
        for (index, date) in entries.into_iter().enumerate() {
            dates.extend(date.map(|date| (name.replace('#', &index.to_string()), date)));
        }
    };
    list("/patient/birth_date", vec![record.patient.birth_date]);
    list("/episode/treatments/#/date", episode.treatments.iter().map(|t| Some(t.date)).collect());
    list("/episode/imaging/#/date", episode.imaging.iter().map(|i| Some(i.date)).collect());
    list("/submissions/#/trauma/date", record.submissions.iter().map(|s| s.report.trauma.date).collect());
    dates
}
