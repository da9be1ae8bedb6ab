//! The history of a record: its submissions in order, evaluated one after the other.

use crate::assessment::Severity;
use crate::facts::{Earlier, Longstanding, View};
use crate::protocol::Protocol;
use crate::record::{Adjudication, Decision, Record, Replacements, Submission, SubmissionId};
use crate::rules::State;

use super::EvaluateError;
use super::firing::{self, Firing};

/// One evaluated visit.
pub(super) struct Visit<'r> {
    pub(super) view: View<'r>,
    pub(super) firings: Vec<Firing>,
    /// Questions of the protocol whose further condition for an answer holds.
    pub(super) answered: Vec<usize>,
}

/// Every visit up to the one that is evaluated.
pub(super) struct History<'r> {
    /// All submissions by time of assessment, counting or not; visits are numbered by it.
    pub(super) order: Vec<&'r Submission>,
    /// The visits that count; at least one.
    pub(super) visits: Vec<Visit<'r>>,
    /// The submissions that were replaced or voided, each evaluated in its old place, and those that lost an emergency to
    /// an adjudication, as they were before it.
    pub(super) left_out: Vec<Visit<'r>>,
    /// The first visit after the evaluated one, unless that is the latest.
    pub(super) following: Option<&'r Submission>,
}

impl<'r> History<'r> {
    /// Evaluates the whole history up to `visit`, or to the end.
    pub(super) fn walk(
        protocol: &Protocol,
        record: &'r Record,
        longstanding: &'r Longstanding,
        visit: Option<&SubmissionId>,
    ) -> Result<Self, EvaluateError> {
        let mut order: Vec<&Submission> = record.submissions.iter().collect();
        order.sort_by(|one, other| key(one).cmp(&key(other)));
        let replacements = Replacements::of(record);
        let counting = |submission: &&Submission| replacements.counts(&submission.id);
        let end = end(&order, counting, visit)?;
        let rest = order.get(end..).unwrap_or_default();
        let following = rest.iter().copied().find(counting);
        let mut walk = Walk {
            protocol,
            record,
            longstanding,
            replacements,
            state: protocol.state(),
            earlier: Earlier::default(),
            visits: Vec::with_capacity(end),
            left_out: Vec::new(),
        };
        for entry in order.iter().copied().enumerate().take(end) {
            walk.take(entry);
        }
        Ok(Self { visits: walk.visits, left_out: walk.left_out, order, following })
    }

    /// The visit that is evaluated.
    pub(super) fn last(&self) -> &Visit<'r> {
        self.visits.last().expect("a history ends with a visit that counts")
    }

    /// A submission that no longer counts, or no longer as it did, by its number.
    pub(super) fn left_out(&self, number: usize) -> Option<&Visit<'r>> {
        self.left_out.iter().find(|visit| visit.view.visit == number)
    }

    /// A visit, counting or not, by its number.
    pub(super) fn numbered(&self, number: usize) -> Option<&Visit<'r>> {
        let mut all = self.visits.iter().chain(&self.left_out);
        all.find(|visit| visit.view.visit == number)
    }
}

/// How many of the ordered submissions take part.
fn end(
    order: &[&Submission],
    counting: impl Fn(&&Submission) -> bool,
    visit: Option<&SubmissionId>,
) -> Result<usize, EvaluateError> {
    match visit {
        None => {
            let any = order.iter().any(counting);
            any.then_some(order.len()).ok_or(EvaluateError::NothingToEvaluate)
        }
        Some(id) => {
            let wanted = |submission: &&Submission| submission.id == *id && counting(submission);
            let position = order.iter().position(wanted);
            position.map(|position| position + 1).ok_or_else(|| EvaluateError::NoSuchVisit(id.clone()))
        }
    }
}

fn key(submission: &Submission) -> (chrono::DateTime<chrono::FixedOffset>, &SubmissionId) {
    (submission.assessed_at, &submission.id)
}

struct Walk<'p, 'r> {
    protocol: &'p Protocol,
    record: &'r Record,
    longstanding: &'r Longstanding,
    replacements: Replacements<'r>,
    state: State,
    earlier: Earlier,
    visits: Vec<Visit<'r>>,
    left_out: Vec<Visit<'r>>,
}

impl<'r> Walk<'_, 'r> {
    fn take(&mut self, (number, submission): (usize, &'r Submission)) {
        if self.replacements.counts(&submission.id) {
            let visit = self.evaluate((number, submission), self.earlier.clone(), self.longstanding);
            let was = self.before_adjudication((number, submission), &visit);
            self.left_out.extend(was);
            self.earlier.admit(&visit.view);
            self.visits.push(visit);
        } else {
            let earlier = self.without_replacements(submission);
            let visit = self.evaluate((number, submission), earlier, self.longstanding);
            self.left_out.push(visit);
        }
    }

    /// The emergencies of a visit that symptoms adjudicated as longstanding after it was received have taken away: such an
    /// adjudication is a correction too.
    fn before_adjudication(&mut self, entry: (usize, &'r Submission), visit: &Visit<'r>) -> Option<Visit<'r>> {
        if self.longstanding.iter().all(Option::is_none) {
            return None;
        }
        let (assessed, received) = (entry.1.assessed_at, entry.1.known_at());
        let applied = self.longstanding.map(|since| since.filter(|since| *since <= assessed));
        let known = longstanding(self.record.adjudications.iter().filter(|entry| entry.known_at() <= received));
        if applied == known.map(|since| since.filter(|since| *since <= assessed)) {
            return None;
        }
        let mut was = self.evaluate(entry, self.earlier.clone(), &known);
        let taken_away = |was: &Firing| {
            let mut now = visit.firings.iter().filter(|now| now.severity == Severity::Emergency);
            was.severity == Severity::Emergency && !now.any(|now| now.is(was.finding, was.side))
        };
        was.firings.retain(taken_away);
        (!was.firings.is_empty()).then_some(was)
    }

    fn evaluate(&mut self, entry: (usize, &'r Submission), earlier: Earlier, longstanding: &Longstanding) -> Visit<'r> {
        let protocol = self.protocol;
        let least = protocol.least_disability_answers;
        let view = View::new(self.record, entry, earlier, longstanding, least);
        let firings = firing::run(protocol, &view, &mut self.state, &protocol.grave_steps);
        let context = firing::context(protocol, &view, &self.state);
        let questions = protocol.findings.iter().enumerate();
        let answered = questions.filter(|(_, rule)| {
            let answered = rule.answered.as_ref();
            answered.is_some_and(|cond| context.holds(cond).is_yes())
        });
        let answered = answered.map(|(index, _)| index).collect();
        Visit { view, firings, answered }
    }

    /// What came before a submission that was left out, had its replacements not been made.
    fn without_replacements(&self, submission: &Submission) -> Earlier {
        let replaces = |visit: &Visit| self.replacements.replaces(&visit.view.submission.id, &submission.id);
        if !self.visits.iter().any(replaces) {
            return self.earlier.clone();
        }
        let mut earlier = Earlier::default();
        for visit in self.visits.iter().filter(|visit| !replaces(visit)) {
            earlier.admit(&visit.view);
        }
        earlier
    }
}

/// From when on each item of the cauda equina screen counts as old: the first signature.
pub(super) fn longstanding<'a>(adjudications: impl IntoIterator<Item = &'a Adjudication>) -> Longstanding {
    let mut since = Longstanding::default();
    for entry in adjudications {
        if let Decision::Longstanding { item } = &entry.decision {
            let first = since[*item as usize].map_or(entry.at, |first| first.min(entry.at));
            since[*item as usize] = Some(first);
        }
    }
    since
}
