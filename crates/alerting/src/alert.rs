//! One alert: what it is about, what it remembers and how far it has come.
//! It remembers the worst it was told, so that only news pages again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Key, Measure, Sighting};
use crate::ids::{AlertId, CaseId, ContactName, RefusalId, Revision};
use crate::letter::Letters;
use crate::reason::Reason;
use crate::severity::{Severity, Urgency};
use crate::state::State;
use crate::tone::Tone;

/// One alert of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Follows from the case, the key and how many alerts of that key came before.
    pub id: AlertId,
    /// What it is about.
    pub key: Key,
    /// Where it came from, which decides whom it pages and what closes it.
    pub origin: Origin,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// The revision that last brought news of it.
    pub news: Revision,
    /// The worst it was told so far.
    pub memory: Memory,
    /// The messages that could not be handled and that it is about.
    #[serde(default, skip_serializing_if = "Letters::is_empty")]
    pub letters: Letters,
    /// The services whose trouble it is about, where it is one of the bus or of databases.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<String>,
    /// Everybody who was paged about it.
    pub paged: BTreeSet<ContactName>,
    /// How far it has come.
    pub state: State,
}

/// Where an alert came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// An active finding of the assessment; pages by the policy.
    Finding {
        /// A question that an answer closes.
        ask: bool,
        /// How many dispositions of its key assessment knew of when it last told of it.
        signed: usize,
    },
    /// Submissions that had to be refused and may hold a red flag; pages by the policy.
    Refusals {
        /// Those not corrected yet.
        open: BTreeSet<RefusalId>,
        /// What is known of the open ones.
        #[serde(default)]
        told: BTreeMap<RefusalId, Told>,
        /// How many there ever were.
        #[serde(default)]
        count: u64,
    },
    /// The service's own trouble; pages the catch-all.
    Operator,
    /// Something for the coordinator to know; told once a day at most, and never escalated.
    Notice {
        /// Before this instant it is not told again.
        next: DateTime<Utc>,
    },
}

/// What is known of a refused submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The episode that it was sent to.
    pub episode: CaseId,
    /// What could be read of it holds a danger sign.
    pub danger: bool,
}

/// The worst an alert was told so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The most pressing.
    pub urgency: Urgency,
    /// When the limit ends, of the latest news.
    pub respond_by: DateTime<Utc>,
    /// The worst of each ground.
    pub measure: Measure,
    /// The submission that met the finding and came into the record last.
    pub met: Option<Sighting>,
    /// A correction is waiting for a signature.
    pub corrected: bool,
}

impl Alert {
    /// How severe it is at its worst.
    pub fn severity(&self) -> Severity {
        self.memory.urgency.severity()
    }

    /// Whether somebody still has to do something about it.
    pub fn is_active(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }

    /// When it was closed.
    pub fn closed_at(&self) -> Option<DateTime<Utc>> {
        match self.state {
            State::Closed { at, .. } => Some(at),
            _ => None,
        }
    }

    /// When it has to be looked at again: its hour, its next step, or the end of its acceptance.
    pub fn next_instant(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            State::Listed { planned } => planned.as_ref().map(|planned| planned.at),
            State::Open { chain } => Some(chain.due),
            State::Accepted { .. } => self.acceptance_ends().map(|(at, _)| at),
            State::Closed { .. } => None,
        }
    }

    /// When it pages next unless something is done before. A notice that somebody accepted waits for
    /// the next report.
    pub fn next_page(&self) -> Option<DateTime<Utc>> {
        let accepted_notice = matches!((&self.origin, &self.state), (Origin::Notice { .. }, State::Accepted { .. }));
        self.next_instant().filter(|_| !accepted_notice)
    }

    /// When the acceptance ends and why: it lapses, or the limit of an urgent alert is over before.
    pub fn acceptance_ends(&self) -> Option<(DateTime<Utc>, Reason)> {
        let State::Accepted { at, lapses_at, .. } = self.state else {
            return None;
        };
        let limit = self.memory.respond_by;
        if self.severity() == Severity::Urgent && at < limit && limit < lapses_at {
            return Some((limit, Reason::Overdue));
        }
        Some((lapses_at, Reason::AcceptanceLapsed))
    }

    /// What kind of thing a page about it speaks of.
    pub fn tone(&self) -> Tone {
        match (&self.origin, self.severity()) {
            (Origin::Notice { .. }, _) => Tone::Notice,
            (_, Severity::Emergency) => Tone::Emergency,
            (Origin::Operator, Severity::Urgent) => Tone::Operator,
            (Origin::Finding { .. } | Origin::Refusals { .. }, Severity::Urgent) => Tone::Urgent,
        }
    }
}

impl Memory {
    /// What is remembered of a finding seen for the first time.
    pub fn first(finding: &Finding) -> Self {
        Self {
            urgency: finding.urgency,
            respond_by: finding.respond_by,
            measure: finding.measure.clone(),
            met: finding.last_met.clone(),
            corrected: finding.corrected_pending,
        }
    }

    /// Whether the finding is worse than remembered: a higher severity, or some ground above what is remembered of it.
    pub fn is_worsened_by(&self, finding: &Finding) -> bool {
        finding.urgency.severity() > self.urgency.severity() || self.measure_is_exceeded_by(&finding.measure)
    }

    fn measure_is_exceeded_by(&self, measure: &Measure) -> bool {
        measure.iter().any(|(ground, value)| *value > self.measure.get(ground).copied().unwrap_or(0))
    }

    /// Whether a submission not seen before met the finding.
    pub fn is_met_anew_by(&self, last_met: Option<&Sighting>) -> bool {
        last_met.is_some_and(|new| self.met.as_ref().is_none_or(|old| old.is_before(new)))
    }

    /// Takes in what is told now and keeps the worst of both.
    pub fn absorb(&mut self, finding: &Finding) {
        if self.is_met_anew_by(finding.last_met.as_ref()) {
            self.met.clone_from(&finding.last_met);
        }
        self.urgency = self.urgency.max(finding.urgency);
        self.respond_by = finding.respond_by;
        self.corrected = finding.corrected_pending;
        for (ground, value) in &finding.measure {
            let worst = self.measure.entry(ground.clone()).or_insert(*value);
            *worst = (*worst).max(*value);
        }
    }
}
