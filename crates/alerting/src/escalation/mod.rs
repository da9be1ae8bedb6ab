//! Every decision about paging: a case and an input in, a [`Plan`] out. Pure; the same input again plans nothing.
//!
//! Inputs are what assessment tells ([`red_flags`]), what else comes in ([`report`]), what a person does ([`command`])
//! and the passing of time ([`tick`], and [`ahead`] when a clock was wrong).

pub mod ahead;
pub mod command;
pub mod red_flags;
pub mod report;
#[cfg(test)]
mod tests;
pub mod tick;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::alert::{Alert, Origin};
use crate::case::Case;
use crate::chain::Chain;
use crate::ids::{AlertId, CaseId, ContactName, Revision};
use crate::on_call::{OnCall, Policy, Step};
use crate::plan::{Happening, Line, PageOrder, Plan, Report, What};
use crate::reason::Reason;
use crate::state::{Closure, Planned, State};

/// A decision under way.
struct Desk<'a> {
    on_call: &'a OnCall,
    now: DateTime<Utc>,
    /// What people had seen before this decision, at most.
    shown: Revision,
    case: Case,
    pages: BTreeMap<ContactName, PageOrder>,
    happened: Vec<Happening>,
    settled: BTreeSet<AlertId>,
    reports: BTreeSet<Report>,
}

impl<'a> Desk<'a> {
    fn new(case: Case, on_call: &'a OnCall, now: DateTime<Utc>) -> Self {
        Self {
            on_call,
            now,
            shown: case.shown(),
            case,
            pages: BTreeMap::new(),
            happened: Vec::new(),
            settled: BTreeSet::new(),
            reports: BTreeSet::new(),
        }
    }

    fn plan(self) -> Plan {
        Plan {
            case: self.case,
            pages: self.pages.into_values().collect(),
            happened: self.happened,
            settled: self.settled,
            reports: self.reports,
        }
    }

    /// The number of this decision's news; it is news from now on.
    fn news(&mut self) -> Revision {
        self.case.news = self.case.revision().max(Revision(self.shown.0 + 1));
        self.case.news
    }

    fn happened(&mut self, alert: &Alert, what: What) {
        self.happened.push(Happening { alert: alert.id, at: self.now, what });
    }

    /// Pages `contacts`, as far as they still exist.
    fn page(&mut self, alert: &mut Alert, contacts: BTreeSet<ContactName>, reason: Reason) {
        let contacts: BTreeSet<_> = contacts.into_iter().filter(|name| self.on_call.contact(name).is_some()).collect();
        if contacts.is_empty() {
            return;
        }
        for contact in &contacts {
            let order = PageOrder { contact: contact.clone(), lines: BTreeMap::new() };
            let page = self.pages.entry(contact.clone()).or_insert(order);
            let line = Line { tone: alert.tone(), reason, opened_at: alert.opened_at };
            let line = page.lines.entry(alert.id).or_insert(line);
            line.reason = line.reason.max(reason);
        }
        alert.paged.extend(contacts.iter().cloned());
        self.happened(alert, What::Paged { contacts, reason });
    }

    /// Pages everybody who was paged about the alert before.
    fn tell_all_paged(&mut self, alert: &mut Alert, reason: Reason) {
        self.page(alert, alert.paged.clone(), reason);
    }

    /// Takes the alert's next step at once, and pages `also` with it.
    fn escalate(&mut self, mut alert: Alert, chain: Chain, also: BTreeSet<ContactName>, reason: Reason) -> Alert {
        let mut taken = chain.step(&self.policy(&alert), self.on_call, self.now);
        if self.case.id != CaseId::OPERATOR {
            self.reports.extend(taken.gaps.into_iter().map(Report::Gap));
        }
        if chain.taken > 0 {
            self.happened(&alert, What::Escalated { step: taken.step, round: taken.round });
        }
        taken.contacts.extend(also);
        self.page(&mut alert, taken.contacts, reason);
        alert.state = State::Open { chain: taken.chain };
        alert
    }

    /// Pages the alert from the first step on.
    fn start(&mut self, alert: Alert, also: BTreeSet<ContactName>, reason: Reason) -> Alert {
        self.escalate(alert, Chain::start(self.now), also, reason)
    }

    /// Pages the alert now or plans it for its hour.
    fn start_when_due(&mut self, mut alert: Alert, also: BTreeSet<ContactName>, reason: Reason) -> Alert {
        let at = self.on_call.hours().due(alert.memory.urgency, alert.memory.respond_by, self.now);
        let overdue = alert.memory.respond_by <= at && alert.memory.urgency.can_be_overdue();
        let reason = if overdue { Reason::Overdue } else { reason };
        if at <= self.now {
            return self.start(alert, also, reason);
        }
        alert.state = State::Listed { planned: Some(Planned { at, reason }) };
        alert
    }

    /// Pages news of an alert at once, whatever was done about it before, and wants a new acceptance.
    fn alarm(&mut self, mut alert: Alert, reason: Reason) -> Alert {
        if matches!(alert.state, State::Open { .. }) {
            self.tell_all_paged(&mut alert, reason);
            return alert;
        }
        let paged = alert.paged.clone();
        self.start(alert, paged, reason)
    }

    /// Closes the alert and calls back what is queued of it.
    fn close(&mut self, mut alert: Alert, closure: Closure) -> Alert {
        if let Ok(closed) = alert.state.clone().close(closure.clone(), self.now) {
            alert.state = closed;
            self.settled.insert(alert.id);
            self.happened(&alert, What::Closed(closure));
        }
        alert
    }

    fn policy(&self, alert: &Alert) -> Policy {
        match alert.origin {
            Origin::Finding { .. } | Origin::Refusals { .. } => self.on_call.policy(alert.severity()).clone(),
            Origin::Operator | Origin::Notice { .. } => {
                Policy { steps: vec![Step { targets: self.on_call.catch_all().to_vec(), wait: report::OPERATOR_WAIT }] }
            }
        }
    }
}
