//! What an episode's red flags change: alerts open, get worse, are corrected or close. A revision already told of
//! changes nothing, so that a lost, late or repeated event cannot.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Desk;
use crate::alert::{Alert, Memory, Origin};
use crate::case::Case;
use crate::finding::{Finding, Key, Met, RedFlags, Sighting};
use crate::ids::AlertId;
use crate::letter::Letters;
use crate::on_call::OnCall;
use crate::plan::{Plan, Report, What};
use crate::reason::Reason;
use crate::severity::Severity;
use crate::state::{Closure, State};

/// Imported visits that were older than this when they were assessed page nobody.
const OLD_IMPORT: TimeDelta = TimeDelta::days(7);

/// Brings the case to the revision of `flags`.
pub fn decide(case: Case, flags: &RedFlags, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    if case.revision.is_some_and(|known| flags.revision <= known) {
        return Desk::new(case, on_call, now).plan();
    }
    let mut desk = Desk::new(case, on_call, now);
    desk.case.revision = Some(flags.revision);
    for finding in &flags.findings {
        desk.found(finding, flags);
    }
    for id in desk.case.active_ids() {
        desk.not_found(id, flags);
    }
    for (key, sighting) in &flags.persisting {
        desk.persists(key, sighting);
    }
    desk.plan()
}

impl Desk<'_> {
    fn found(&mut self, finding: &Finding, flags: &RedFlags) {
        if let Some(alert) = self.case.take_active(&finding.key) {
            let alert = self.known(alert, finding, flags);
            self.case.put(alert);
        } else if !self.awaits_our_disposition(finding, flags) {
            let alert = self.open(finding, flags);
            self.case.put(alert);
        }
    }

    /// A person signed for it here, and assessment has not heard of that yet: it will.
    fn awaits_our_disposition(&self, finding: &Finding, flags: &RedFlags) -> bool {
        self.case.last_closed(&finding.key).is_some_and(|alert| {
            let signed_here = matches!(&alert.state, State::Closed { closure: Closure::Signed { .. }, .. });
            let Origin::Finding { signed, .. } = alert.origin else {
                return false;
            };
            signed_here && flags.signed(&finding.key) <= signed && !alert.memory.is_worsened_by(finding)
        })
    }

    fn open(&mut self, finding: &Finding, flags: &RedFlags) -> Alert {
        let alert = Alert {
            id: self.case.next_id(&finding.key),
            key: finding.key.clone(),
            origin: Origin::Finding { ask: finding.ask, signed: flags.signed(&finding.key) },
            opened_at: self.now,
            news: self.news(),
            memory: Memory::first(finding),
            letters: Letters::default(),
            services: BTreeSet::new(),
            paged: BTreeSet::new(),
            state: State::Listed { planned: None },
        };
        self.happened(&alert, What::Opened { urgency: finding.urgency });
        if flags.has_of_old(finding) {
            self.reports.insert(Report::ImportedFindings);
            return alert;
        }
        self.start_when_due(alert, BTreeSet::new(), Reason::Opened)
    }

    fn known(&mut self, mut alert: Alert, finding: &Finding, flags: &RedFlags) -> Alert {
        let was = alert.severity();
        let worse = alert.memory.is_worsened_by(finding);
        let corrected = finding.corrected_pending && !alert.memory.corrected;
        let met_anew = alert.memory.is_met_anew_by(finding.last_met.as_ref());
        let met_again = met_anew && finding.urgency.severity() == Severity::Emergency;
        alert.memory.absorb(finding);
        alert.origin = Origin::Finding { ask: finding.ask, signed: flags.signed(&finding.key) };
        // Known from an old import alone: nobody was paged yet.
        if alert.state == (State::Listed { planned: None }) {
            return self.known_from_import(alert, finding, worse, flags);
        }
        if !(worse || corrected || met_again) {
            return self.replan(alert);
        }
        alert.news = self.news();
        if worse {
            self.happened(&alert, What::Worsened);
            self.worsened(alert, was)
        } else if corrected {
            self.happened(&alert, What::CorrectedPending);
            self.tell_all_paged(&mut alert, Reason::Corrected);
            alert
        } else {
            self.happened(&alert, What::MetAgain);
            self.met_again(alert)
        }
    }

    /// What was on the worklist alone pages as if it were new once a visit that is not an old import meets it.
    fn known_from_import(&mut self, mut alert: Alert, finding: &Finding, worse: bool, flags: &RedFlags) -> Alert {
        // A former version says nothing of what met it but whether the assessed visit did.
        let is_met = finding.met.is_some() || finding.met_at_visit || worse;
        if !is_met || flags.has_of_old(finding) {
            return alert;
        }
        alert.news = self.news();
        self.happened(&alert, What::MetAgain);
        self.start_when_due(alert, BTreeSet::new(), Reason::Opened)
    }

    /// An alert that becomes an emergency starts the emergencies' policy at its first step, however far it had come.
    fn worsened(&mut self, alert: Alert, was: Severity) -> Alert {
        if was < Severity::Emergency && alert.severity() == Severity::Emergency {
            let paged = alert.paged.clone();
            return self.start(alert, paged, Reason::Worse);
        }
        self.alarm(alert, Reason::Worse)
    }

    /// A planned page comes earlier when the limit now ends earlier, never later.
    fn replan(&mut self, alert: Alert) -> Alert {
        match alert.state.clone() {
            State::Listed { planned: Some(old) } => {
                let mut alert = self.start_when_due(alert, BTreeSet::new(), old.reason);
                if let State::Listed { planned: Some(new) } = &mut alert.state {
                    new.at = new.at.min(old.at);
                }
                alert
            }
            _ => alert,
        }
    }

    /// Pages again about the same emergency. An acceptance stays: the facts are the same.
    fn met_again(&mut self, alert: Alert) -> Alert {
        match alert.state.clone() {
            accepted @ State::Accepted { .. } => {
                let paged = alert.paged.clone();
                let told = self.start(alert, paged, Reason::MetAgain);
                Alert { state: accepted, ..told }
            }
            State::Open { .. } => self.alarm(alert, Reason::MetAgain),
            State::Listed { .. } | State::Closed { .. } => self.alarm(alert, Reason::Opened),
        }
    }

    /// The protocol lets a signature hold for what it saw until a visit shows it gone or worse. The history says so.
    fn persists(&mut self, key: &Key, sighting: &Sighting) {
        if self.case.active(key).is_some() {
            return;
        }
        let Some(mut alert) = self.case.last_closed(key).cloned() else { return };
        if !alert.memory.is_met_anew_by(Some(sighting)) {
            return;
        }
        self.happened(&alert, What::Persists { submission: sighting.submission });
        alert.memory.met = Some(sighting.clone());
        self.case.put(alert);
    }

    /// Closes an alert whose finding the newest revision no longer contains.
    fn not_found(&mut self, id: AlertId, flags: &RedFlags) {
        let Some(alert) = self.case.alerts.get(&id) else {
            return;
        };
        let Origin::Finding { ask, signed } = alert.origin else {
            return;
        };
        if flags.findings.iter().any(|finding| finding.key == alert.key) {
            return;
        }
        let closure = match (flags.signed(&alert.key) > signed, ask) {
            (true, _) => Closure::Disposed,
            (false, true) => Closure::Answered,
            (false, false) => Closure::Withdrawn,
        };
        let Some(alert) = self.case.alerts.remove(&id) else {
            return;
        };
        let told = match closure {
            Closure::Answered => Some(Reason::Answered),
            Closure::Disposed => Some(Reason::Signed),
            Closure::Signed { .. } | Closure::Withdrawn => None,
        };
        let mut alert = self.close(alert, closure);
        if let Some(reason) = told {
            self.tell_all_paged(&mut alert, reason);
        }
        self.case.put(alert);
    }
}

impl RedFlags {
    /// Whether nothing but old imported visits met the finding. Judged once, by the instant at which assessment told of it:
    /// waiting for us makes no visit old.
    fn has_of_old(&self, finding: &Finding) -> bool {
        let (live, latest_at) = match finding.met {
            Some(Met { live, latest_at }) => (live, latest_at),
            None => (!self.visit.imported, self.visit.assessed_at),
        };
        !live && self.told_at - latest_at > OLD_IMPORT
    }
}
