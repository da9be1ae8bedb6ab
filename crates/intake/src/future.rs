//! What lies in the future, or before the patient's birth, cannot have been observed: such a time or date is a fault.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use lasegue_protocol::record::{BEFORE_BIRTH, Draft, Episode, Fault, Record, Registration};
use lasegue_values::limits::CLOCK_SKEW;

use crate::json::fault;

/// A fault when `at` lies in the future.
pub(crate) fn time(pointer: &str, at: DateTime<FixedOffset>, now: DateTime<Utc>) -> Option<Fault> {
    (at > now + CLOCK_SKEW).then(|| fault(pointer, "lies in the future"))
}

/// A fault when the patient was not born at `at`.
pub(crate) fn unborn(
    pointer: &str,
    at: DateTime<FixedOffset>,
    Registration { patient, episode }: &Registration,
) -> Option<Fault> {
    let born = patient.birth_date.is_none_or(|birth| birth <= episode.local_day(at));
    (!born).then(|| fault(pointer, BEFORE_BIRTH))
}

fn date(pointer: &str, date: NaiveDate, today: NaiveDate) -> Option<Fault> {
    (date > today).then(|| fault(pointer, format!("lies in the future: it is {today} where the patient lives")))
}

fn today(episode: &Episode, now: DateTime<Utc>) -> NaiveDate {
    episode.local_day(now.fixed_offset())
}

/// The future dates of an episode's blocks.
pub(crate) fn registration(registration: &Registration, now: DateTime<Utc>) -> Vec<Fault> {
    let episode = &registration.episode;
    let today = today(episode, now);
    let own = [("/episode/onset_date", episode.onset_date), ("/episode/treatment_start", episode.treatment_start)];
    let own = own.into_iter().filter_map(|(pointer, day)| date(pointer, day, today));
    let listed = |list: &str, index: usize, day| date(&format!("/episode/{list}/{index}/date"), day, today);
    let treatments = episode.treatments.iter().enumerate().filter_map(|(n, entry)| listed("treatments", n, entry.date));
    let imaging = episode.imaging.iter().enumerate().filter_map(|(n, entry)| listed("imaging", n, entry.date));
    own.chain(treatments).chain(imaging).collect()
}

/// The times and dates of a submission that are in the future or before birth.
pub(crate) fn draft(draft: &Draft, registration: &Registration, now: DateTime<Utc>) -> Vec<Fault> {
    let early = draft.assessed_at.and_then(|at| unborn("/assessed_at", at, registration));
    let assessed = draft.assessed_at.and_then(|at| time("/assessed_at", at, now));
    let received = draft.received_at.and_then(|at| time("/received_at", at, now));
    let injured = draft.report.trauma.date.and_then(|day| date("/trauma/date", day, today(&registration.episode, now)));
    [early, assessed, received, injured].into_iter().flatten().collect()
}

/// The future times of a record. Its dates cannot be later than its latest time, unless it has none.
pub(crate) fn record(record: &Record, now: DateTime<Utc>) -> Vec<Fault> {
    let submitted = record.submissions.iter().enumerate().flat_map(|(index, submission)| {
        let at = |field: &str| format!("/submissions/{index}/{field}");
        let received = submission.received_at.and_then(|received| time(&at("received_at"), received, now));
        [time(&at("assessed_at"), submission.assessed_at, now), received]
    });
    let signed = record.adjudications.iter().enumerate();
    let signed = signed.flat_map(|(index, signed)| {
        let at = |field: &str| format!("/adjudications/{index}/{field}");
        let received = signed.received_at.and_then(|received| time(&at("received_at"), received, now));
        [time(&at("at"), signed.at, now), received]
    });
    let Record { patient, episode, .. } = record.clone();
    let dates = registration(&Registration { patient, episode }, now);
    submitted.chain(signed).flatten().chain(dates).collect()
}
