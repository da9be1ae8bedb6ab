//! What else comes in: submissions that had to be refused, red flags that cannot be read, the service's own troubles,
//! and what the coordinator should know.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::Desk;
use crate::alert::{Alert, Memory, Origin, Told};
use crate::case::Case;
use crate::finding::{Key, Measure};
use crate::ids::RefusalId;
use crate::letter::{Letter, Letters};
use crate::on_call::OnCall;
use crate::plan::{Plan, Report, What};
use crate::reason::Reason;
use crate::severity::Urgency;
use crate::state::{Closure, State};

/// How long the catch-all has to accept a trouble of the service before it is paged again.
pub const OPERATOR_WAIT: TimeDelta = TimeDelta::minutes(5);
/// A refused submission and a trouble of the service want an answer within this.
const SAME_DAY: TimeDelta = TimeDelta::hours(24);
/// How often the coordinator is told the same.
const NOTICE_EVERY: TimeDelta = TimeDelta::hours(24);

/// Refusals that one alert names. Of more than these only danger signs are named, and the others counted.
const MOST_NAMED: usize = 1_000;

/// The code of alerts about refused submissions.
pub const UNREADABLE_SUBMISSION: &str = "unreadable-submission";
/// The code of alerts about red flags that arrived and could not be read.
pub const UNREADABLE_RED_FLAG: &str = "unreadable-red-flag";
/// The code of the alert about live events that the bus does not take.
pub const EVENTS_HELD_UP: &str = "events-held-up";
/// The code of the alert about databases that store nothing.
pub const NOTHING_STORED: &str = "nothing-stored";
/// The code of the alert about databases in which damage was met.
pub const DATABASE_DAMAGED: &str = "database-damaged";

/// A submission was refused that may hold a red flag: same-day urgent. News about an accepted alert pages again.
pub fn refused(mut case: Case, refusal: RefusalId, told: Told, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    if case.corrected_early.remove(&refusal) {
        return Desk::new(case, on_call, now).plan();
    }
    let key = Key::of(UNREADABLE_SUBMISSION);
    let mut desk = Desk::new(case, on_call, now);
    let alert = match desk.case.take_active(&key) {
        None => {
            let (open, told) = (BTreeSet::from([refusal]), BTreeMap::from([(refusal, told)]));
            desk.raise(key, Origin::Refusals { open, told, count: 1 }, Urgency::SameDay)
        }
        Some(alert) => desk.refused_as_well(alert, refusal, told),
    };
    desk.case.put(alert);
    desk.plan()
}

/// A refused submission was corrected. With the last one the alert closes, and those paged are told.
pub fn corrected(case: Case, refusal: RefusalId, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let mut desk = Desk::new(case, on_call, now);
    match desk.case.take_active(&Key::of(UNREADABLE_SUBMISSION)) {
        Some(alert) => {
            let alert = desk.corrected_one(alert, refusal);
            desk.case.put(alert);
        }
        None if desk.was_told_of(refusal) => {}
        None => _ = desk.case.corrected_early.insert(refusal),
    }
    desk.plan()
}

/// A red flag of this case arrived and could not be read: an emergency for the catch-all, who must look it up.
pub fn unreadable_red_flag(case: Case, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    trouble(case, Key::of(UNREADABLE_RED_FLAG), Urgency::Emergency, on_call, now)
}

/// Tells the service's own case of something: troubles go to the catch-all, the rest to the coordinator.
pub fn tell(case: Case, report: &Report, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    match report {
        Report::Gap(rota) => trouble(case, Key::of(&format!("on-call-gap:{rota}")), Urgency::SameDay, on_call, now),
        Report::Unreachable(contact) => {
            trouble(case, Key::of(&format!("unreachable:{contact}")), Urgency::SameDay, on_call, now)
        }
        Report::Unhandled(letter) => unhandled(case, letter, on_call, now),
        Report::EventsHeldUp(service) => held_up(case, service, on_call, now),
        Report::NothingStored(service) => database(case, NOTHING_STORED, service, on_call, now),
        Report::Damaged(service) => database(case, DATABASE_DAMAGED, service, on_call, now),
        Report::ImportedFindings => notice(case, Key::of("imported-findings"), on_call, now),
        Report::MissedVisits => notice(case, Key::of("missed-visits"), on_call, now),
        Report::LateSteps => trouble(case, Key::of("late-steps"), Urgency::SameDay, on_call, now),
    }
}

/// Opens an alert for the catch-all, unless there is one. A further unreadable red flag pages again once accepted.
fn trouble(case: Case, key: Key, urgency: Urgency, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let mut desk = Desk::new(case, on_call, now);
    let alert = match desk.case.take_active(&key) {
        None => desk.raise(key, Origin::Operator, urgency),
        Some(alert) if urgency == Urgency::Emergency => desk.more_of(alert),
        Some(alert) => alert,
    };
    desk.case.put(alert);
    desk.plan()
}

/// A consumer could not handle a message. One more while the alert is active is news of it.
fn unhandled(case: Case, letter: &Letter, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let mut desk = Desk::new(case, on_call, now);
    let mut alert = match desk.case.take_active(&letter.key()) {
        None => desk.raise(letter.key(), Origin::Operator, Urgency::SameDay),
        Some(alert) if alert.letters.latest.contains(letter) => alert,
        Some(alert) => desk.more_of(alert),
    };
    alert.letters.add(letter);
    desk.case.put(alert);
    desk.plan()
}

/// The bus does not take the live events of a service. Of one outage all services tell: one alert names them.
fn held_up(case: Case, service: &str, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let mut desk = Desk::new(case, on_call, now);
    let key = Key::of(EVENTS_HELD_UP);
    let alert = desk.case.take_active(&key);
    let mut alert = alert.unwrap_or_else(|| desk.raise(key, Origin::Operator, Urgency::SameDay));
    alert.services.insert(service.to_owned());
    desk.case.put(alert);
    desk.plan()
}

/// A database fails its service. One alert names all of them; one that comes after somebody accepted pages again.
fn database(case: Case, code: &str, service: &str, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let mut desk = Desk::new(case, on_call, now);
    let key = Key::of(code);
    let mut alert = match desk.case.take_active(&key) {
        None => desk.raise(key, Origin::Operator, Urgency::SameDay),
        Some(alert) => desk.more_of(alert),
    };
    alert.services.insert(service.to_owned());
    desk.case.put(alert);
    desk.plan()
}

fn notice(case: Case, key: Key, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let mut desk = Desk::new(case, on_call, now);
    let alert = match desk.case.take_active(&key) {
        None => {
            let alert = desk.fresh(key, Origin::Notice { next: now + NOTICE_EVERY }, Urgency::SevenDays);
            desk.notify(alert, Reason::Opened)
        }
        Some(alert) => desk.notify_again(alert),
    };
    desk.case.put(alert);
    desk.plan()
}

impl Desk<'_> {
    fn fresh(&mut self, key: Key, origin: Origin, urgency: Urgency) -> Alert {
        let respond_by = self.now + SAME_DAY;
        let memory = Memory { urgency, respond_by, measure: Measure::new(), met: None, corrected: false };
        let alert = Alert {
            id: self.case.next_id(&key),
            key,
            origin,
            opened_at: self.now,
            news: self.news(),
            memory,
            letters: Letters::default(),
            services: BTreeSet::new(),
            paged: BTreeSet::new(),
            state: State::Listed { planned: None },
        };
        self.happened(&alert, What::Opened { urgency });
        alert
    }

    fn raise(&mut self, key: Key, origin: Origin, urgency: Urgency) -> Alert {
        let alert = self.fresh(key, origin, urgency);
        self.start(alert, BTreeSet::new(), Reason::Opened)
    }

    /// More of the same is news in any case. While the alert is paging anyway it pages nobody besides; afterwards again.
    fn more_of(&mut self, mut alert: Alert) -> Alert {
        alert.news = self.news();
        if matches!(alert.state, State::Open { .. }) {
            return alert;
        }
        self.happened(&alert, What::Worsened);
        self.alarm(alert, Reason::Worse)
    }

    /// The first danger sign among what could not be read is worse, and pages at once.
    fn refused_as_well(&mut self, mut alert: Alert, refusal: RefusalId, new: Told) -> Alert {
        let Origin::Refusals { open, told, count } = &mut alert.origin else {
            return alert;
        };
        if open.contains(&refusal) {
            return alert;
        }
        let worse = new.danger && !told.values().any(|told| told.danger);
        *count = (open.len() as u64).max(*count).saturating_add(1);
        if new.danger || open.len() < MOST_NAMED {
            open.insert(refusal);
            told.insert(refusal, new);
        }
        if !(worse && matches!(alert.state, State::Open { .. })) {
            return self.more_of(alert);
        }
        alert.news = self.news();
        self.happened(&alert, What::Worsened);
        self.alarm(alert, Reason::Worse)
    }

    fn corrected_one(&mut self, mut alert: Alert, refusal: RefusalId) -> Alert {
        let Origin::Refusals { open, told, .. } = &mut alert.origin else {
            return alert;
        };
        told.remove(&refusal);
        if !open.remove(&refusal) {
            self.case.corrected_early.insert(refusal);
            return alert;
        }
        if !open.is_empty() {
            return alert;
        }
        let mut alert = self.close(alert, Closure::Answered);
        self.tell_all_paged(&mut alert, Reason::Answered);
        alert
    }

    /// A person closed the alert about this refusal before it was corrected.
    fn was_told_of(&self, refusal: RefusalId) -> bool {
        self.case
            .alerts
            .values()
            .any(|alert| matches!(&alert.origin, Origin::Refusals { open, .. } if open.contains(&refusal)))
    }

    fn notify(&mut self, mut alert: Alert, reason: Reason) -> Alert {
        let coordinator = self.on_call.reach(self.on_call.coordinator(), self.now).contacts;
        self.page(&mut alert, coordinator, reason);
        alert
    }

    fn notify_again(&mut self, mut alert: Alert) -> Alert {
        match &mut alert.origin {
            Origin::Notice { next } if *next <= self.now => {
                *next = self.now + NOTICE_EVERY;
                self.notify(alert, Reason::MetAgain)
            }
            _ => alert,
        }
    }
}
