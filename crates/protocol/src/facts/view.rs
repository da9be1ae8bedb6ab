//! One visit as the rules see it: its report, the episode around it, the visits before it.

use chrono::{DateTime, FixedOffset, NaiveDate};

use crate::logic::{Ratio, Truth};
use crate::record::{CaudaEquinaItem, Episode, Imaging, Patient, Record, Reflex, Report, Side, Submission, Tri};

use super::earlier::{Disability, Earlier};

/// A reflex of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReflexSite {
    pub(crate) side: Side,
    pub(crate) reflex: Reflex,
}

/// What the walk over the history came to, for the rules that ask for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) active_emergency: bool,
    pub(crate) active_urgent: bool,
    /// Not known before all findings are.
    pub(crate) above_info: Option<bool>,
}

/// A visit and all that may be known at it.
#[derive(Clone, Debug)]
pub(crate) struct View<'r> {
    pub(crate) patient: &'r Patient,
    pub(crate) episode: &'r Episode,
    pub(crate) submission: &'r Submission,
    /// Its number in the order of visits.
    pub(crate) visit: usize,
    /// The patient's calendar day.
    pub(crate) day: NaiveDate,
    pub(crate) earlier: Earlier,
    pub(crate) outcome: Outcome,
    longstanding: Longstanding,
    least_answers: u8,
}

/// From when on each cauda equina item counts as old and known.
pub(crate) type Longstanding = [Option<DateTime<FixedOffset>>; 10];

impl<'r> View<'r> {
    pub(crate) fn new(
        record: &'r Record,
        (visit, submission): (usize, &'r Submission),
        earlier: Earlier,
        longstanding: &Longstanding,
        least_answers: u8,
    ) -> Self {
        Self {
            patient: &record.patient,
            episode: &record.episode,
            submission,
            visit,
            day: record.episode.local_day(submission.assessed_at),
            earlier,
            outcome: Outcome::default(),
            longstanding: *longstanding,
            least_answers,
        }
    }

    pub(crate) fn report(&self) -> &'r Report {
        &self.submission.report
    }

    /// Whole days from `date` to the visit.
    pub(crate) fn days_since(&self, date: NaiveDate) -> Ratio {
        Ratio::whole((self.day - date).num_days())
    }

    pub(crate) fn disability(&self) -> Option<Disability> {
        Disability::of(self.report().odi.as_ref(), self.least_answers)
    }

    /// The answer that counts for an item of the cauda equina screen.
    pub(crate) fn cauda_equina(&self, item: CaudaEquinaItem) -> Truth {
        let answer = self.report().cauda_equina.items.get(&item);
        let worst = answer.and_then(|answer| answer.worst());
        let old = self.longstanding[item as usize].is_some_and(|since| since <= self.submission.assessed_at);
        if worst == Some(Tri::Yes) && old {
            return Truth::No;
        }
        Truth::from(worst)
    }

    /// The images of one kind that exist at this visit, as they are listed.
    pub(crate) fn images(&self, wanted: impl Fn(&Imaging) -> bool) -> impl Iterator<Item = (usize, &'r Imaging)> {
        let span = self.episode.onset_date..=self.day;
        let images = self.episode.imaging.iter().enumerate();
        images.filter(move |(_, image)| span.contains(&image.date) && wanted(image))
    }
}
