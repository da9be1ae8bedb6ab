//! The status of one emergency or urgent finding, found by walking visits and dispositions.
//!
//! It latches: once met, it stays until a named person signs it, and a signature covers only
//! what its signer can have seen.

use std::collections::BTreeMap;

use crate::assessment::{Severity, Status};

use super::seen::{Known, Seen};

/// How bad a finding is: its severity and each of its grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Badness<G: Ord> {
    pub(super) severity: Severity,
    pub(super) measure: BTreeMap<G, i64>,
}

/// One thing that happens to a finding, in the order of time.
pub(super) enum Event<'e, G: Ord> {
    Visit(Look<'e, G>),
    Disposition(Seen),
}

/// What a visit shows of the finding.
pub(super) struct Look<'e, G: Ord> {
    /// The number of the visit.
    pub(super) visit: usize,
    pub(super) known: Known,
    /// Met as an emergency or urgent.
    pub(super) met: Option<Badness<G>>,
    /// For a question: it has its answer.
    pub(super) answered: bool,
    pub(super) examination: &'e dyn Examination<G>,
}

/// What was examined at a visit.
pub(super) trait Examination<G> {
    /// Whether a ground could have been found at the visit, had it been there.
    fn covers(&self, ground: &G) -> bool;
}

/// Where a finding stands after everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing<G: Ord> {
    pub(super) status: Status,
    pub(super) worst: Badness<G>,
    /// The visit from which the time to respond counts.
    pub(super) since: usize,
    /// The last visit that met it.
    pub(super) shown: usize,
    /// All visits that met it, in the order in which they became known.
    pub(super) met: Vec<usize>,
}

#[derive(Clone)]
struct Meeting<G: Ord> {
    visit: usize,
    known: Known,
    badness: Badness<G>,
}

enum State<G: Ord> {
    Quiet,
    Active {
        worst: Badness<G>,
        /// The visits that met it since it became active.
        meetings: Vec<Meeting<G>>,
        since: usize,
        status: Status,
    },
    Disposed(Badness<G>),
}

impl<G: Ord + Clone> Badness<G> {
    /// Graver than `remembered`, or with a ground above it.
    pub(super) fn is_worse_than(&self, remembered: &Self) -> bool {
        let before = |ground| remembered.measure.get(ground).copied().unwrap_or(0);
        let mut grounds = self.measure.iter();
        self.severity < remembered.severity || grounds.any(|(ground, now)| *now > before(ground))
    }

    /// The worst of both.
    pub(super) fn join(&mut self, other: &Self) {
        self.severity = self.severity.min(other.severity);
        for (ground, value) in &other.measure {
            let worst = self.measure.entry(ground.clone()).or_insert(*value);
            *worst = (*worst).max(*value);
        }
    }
}

/// Walks the events of one finding on one side.
pub(super) fn walk<G: Ord + Clone>(events: Vec<Event<G>>) -> Option<Standing<G>> {
    let mut state = State::Quiet;
    let mut last: Option<Meeting<G>> = None;
    let mut met = Vec::new();
    for event in events {
        match event {
            Event::Visit(look) => {
                last = look.meeting();
                met.extend(last.as_ref().map(|meeting| (meeting.known, meeting.visit)));
                state = state.visited(&look, last.clone());
            }
            Event::Disposition(seen) => state = state.disposed(seen),
        }
    }
    let (_, shown) = *met.last()?;
    met.sort_by_key(|(known, _)| *known);
    state.standing(last, shown, met.into_iter().map(|(_, visit)| visit).collect())
}

impl<G: Ord + Clone> Look<'_, G> {
    fn meeting(&self) -> Option<Meeting<G>> {
        Some(Meeting { visit: self.visit, known: self.known, badness: self.met.clone()? })
    }
}

impl<G: Ord + Clone> State<G> {
    fn visited(self, look: &Look<G>, meeting: Option<Meeting<G>>) -> Self {
        match (self, meeting) {
            (Self::Quiet, None) => Self::Quiet,
            (Self::Quiet, Some(meeting)) => Self::activated(Status::New, meeting.badness.clone(), meeting),
            (active @ Self::Active { .. }, Some(meeting)) => active.met_again(meeting),
            (Self::Active { .. }, None) if look.answered => Self::Quiet,
            (active @ Self::Active { .. }, None) => active,
            (Self::Disposed(remembered), Some(meeting)) => {
                if !meeting.badness.is_worse_than(&remembered) {
                    return Self::Disposed(remembered);
                }
                let mut worst = remembered;
                worst.join(&meeting.badness);
                Self::activated(Status::Worse, worst, meeting)
            }
            (Self::Disposed(remembered), None) => {
                if remembered.measure.keys().all(|ground| look.examination.covers(ground)) {
                    return Self::Quiet;
                }
                Self::Disposed(remembered)
            }
        }
    }

    fn activated(status: Status, worst: Badness<G>, meeting: Meeting<G>) -> Self {
        Self::Active { worst, since: meeting.visit, meetings: vec![meeting], status }
    }

    fn met_again(self, meeting: Meeting<G>) -> Self {
        let Self::Active { mut worst, mut meetings, since, .. } = self else {
            return self;
        };
        let worse = meeting.badness.is_worse_than(&worst);
        worst.join(&meeting.badness);
        let (status, since) = if worse { (Status::Worse, meeting.visit) } else { (Status::Open, since) };
        meetings.push(meeting);
        Self::Active { worst, meetings, since, status }
    }

    /// A disposition covers what its signer can have seen. What was assessed before but became known
    /// later stays covered unless it is worse than that.
    fn disposed(self, by: Seen) -> Self {
        let Self::Active { ref meetings, .. } = self else {
            return self;
        };
        let seen = |meeting: &&Meeting<G>| by.covers(meeting.known);
        let Some(covered) = meetings.iter().rfind(seen).map(|seen| seen.badness.clone()) else {
            return self;
        };
        let unseen = |meeting: &&Meeting<G>| !seen(meeting);
        let worse = |meeting: &&Meeting<G>| meeting.badness.is_worse_than(&covered);
        let Some(again) = meetings.iter().position(|meeting| unseen(&meeting) && worse(&meeting)) else {
            return Self::Disposed(covered);
        };
        // Active since then: a later disposition may cover that visit and all that came after it.
        let meetings = meetings[again..].to_vec();
        let mut since = meetings[0].visit;
        let mut remembered = covered.clone();
        for meeting in meetings.iter().filter(unseen).filter(worse) {
            if meeting.badness.is_worse_than(&remembered) {
                since = meeting.visit;
            }
            remembered.join(&meeting.badness);
        }
        Self::Active { worst: remembered, meetings, since, status: Status::Worse }
    }

    fn standing(self, last: Option<Meeting<G>>, shown: usize, met: Vec<usize>) -> Option<Standing<G>> {
        match (self, last) {
            (Self::Quiet, _) | (Self::Disposed(_), None) => None,
            (Self::Active { worst, since, status, .. }, last) => {
                let status = if last.is_some() { status } else { Status::Open };
                Some(Standing { status, worst, since, shown, met })
            }
            (Self::Disposed(_), Some(meeting)) => {
                let (worst, since) = (meeting.badness, meeting.visit);
                Some(Standing { status: Status::Persisting, worst, since, shown, met })
            }
        }
    }
}
