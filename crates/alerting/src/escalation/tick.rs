//! What the passing of time changes: hours come, steps are taken, acceptances lapse.
//! However late it is called, each alert takes one step, counted from now: a pause brings no burst.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Desk;
use crate::alert::{Alert, Origin};
use crate::case::Case;
use crate::chain::Chain;
use crate::ids::{AlertId, Person};
use crate::on_call::OnCall;
use crate::plan::{Plan, What};
use crate::reason::Reason;
use crate::state::State;

/// Does what is due at `now`.
pub fn decide(case: Case, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    take(Desk::new(case, on_call, now), |_| false)
}

/// Does what is due, and what is so `early`.
pub(super) fn take(mut desk: Desk<'_>, early: impl Fn(&Alert) -> bool) -> Plan {
    for id in desk.due(early) {
        if let Some(alert) = desk.case.alerts.remove(&id) {
            let alert = desk.pass(alert);
            desk.case.put(alert);
        }
    }
    desk.plan()
}

/// A page about `alerts` reached nobody: each that is still open takes its next step at once, until the catch-all has
/// been paged, so that receivers that all refuse cannot make it spin.
pub fn unreached(case: Case, alerts: &[AlertId], on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let mut desk = Desk::new(case, on_call, now);
    for id in alerts {
        if let Some(alert) = desk.case.alerts.remove(id) {
            let alert = desk.move_on(alert);
            desk.case.put(alert);
        }
    }
    desk.plan()
}

impl Desk<'_> {
    fn move_on(&mut self, alert: Alert) -> Alert {
        match alert.state {
            State::Open { chain } if !(chain.is_exhausted(&self.policy(&alert)) && self.knows_all(&alert)) => {
                self.go_on(alert, chain)
            }
            _ => alert,
        }
    }

    /// Whether everybody of the catch-all of now was paged about it: it may have been another when that was paged.
    fn knows_all(&self, alert: &Alert) -> bool {
        self.on_call.reach(self.on_call.catch_all(), self.now).contacts.is_subset(&alert.paged)
    }

    fn go_on(&mut self, alert: Alert, chain: Chain) -> Alert {
        let is_first_round = chain.is_first_round(&self.policy(&alert));
        let reason = if is_first_round { Reason::Escalated } else { Reason::Repeated };
        self.escalate(alert, chain, BTreeSet::new(), reason)
    }

    fn due(&self, early: impl Fn(&Alert) -> bool) -> Vec<AlertId> {
        let is_due = |alert: &&Alert| alert.next_instant().is_some_and(|at| at <= self.now) || early(alert);
        self.case.alerts.values().filter(is_due).map(|alert| alert.id).collect()
    }

    fn pass(&mut self, alert: Alert) -> Alert {
        match alert.state.clone() {
            State::Listed { planned: Some(planned) } => self.start(alert, BTreeSet::new(), planned.reason),
            State::Open { chain } => self.go_on(alert, chain),
            State::Accepted { by, .. } => self.lapse(alert, &by),
            State::Listed { planned: None } | State::Closed { .. } => alert,
        }
    }

    /// Pages again from the first step on, and the person who had accepted.
    fn lapse(&mut self, mut alert: Alert, by: &Person) -> Alert {
        let reason = alert.acceptance_ends().map_or(Reason::AcceptanceLapsed, |(_, reason)| reason);
        self.happened(&alert, What::Lapsed);
        if matches!(alert.origin, Origin::Notice { .. }) {
            alert.state = State::Listed { planned: None };
            return alert;
        }
        self.start_when_due(alert, self.on_call.contact_of(by).into_iter().collect(), reason)
    }
}
