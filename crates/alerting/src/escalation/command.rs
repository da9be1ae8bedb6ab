//! What a person does about an alert. Whoever acts names the revision they saw; if there has been news since, they are
//! told of it instead.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Desk;
use crate::alert::Alert;
use crate::case::Case;
use crate::ids::{AlertId, ContactName, Person, Revision};
use crate::on_call::OnCall;
use crate::plan::{Plan, What};
use crate::reason::Reason;
use crate::state::{Closure, Impossible, State};

/// How long somebody to whom an alert is handed over has to accept before the next step is taken.
pub const HAND_OVER_WAIT: TimeDelta = TimeDelta::minutes(5);

/// What a person wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// About which alert.
    pub alert: AlertId,
    /// Who: the identity in the token.
    pub by: Person,
    /// The revision they saw.
    pub seen: Revision,
    /// What.
    pub action: Action,
}

/// What can be done about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take it on.
    Accept,
    /// Take it on even if another has: whoever has it is told.
    TakeOver,
    /// Not take it on: the next step follows at once.
    Decline,
    /// Give it on: to somebody by name, or to the next step.
    HandOver {
        /// To whom.
        to: Option<ContactName>,
    },
    /// Keep an accepted emergency for longer.
    Extend {
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// Sign for it.
    Dispose {
        /// What was found.
        note: String,
    },
}

/// Why a command is not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The case has no such alert.
    #[error("there is no such alert")]
    Unknown,
    /// There has been news since the revision that was named.
    #[error("there is news since revision {seen}; look at it and name revision {current}")]
    News {
        /// What was named.
        seen: Revision,
        /// What is known.
        current: Revision,
        /// The active alerts that have changed since.
        alerts: Vec<AlertId>,
    },
    /// Nobody can have seen the revision that was named.
    #[error("revision {seen} is not reached yet; look at the alert and name revision {current}")]
    Ahead {
        /// What was named.
        seen: Revision,
        /// What is known.
        current: Revision,
    },
    /// The alert's state does not allow it.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// The set-up has no such contact.
    #[error("there is no contact `{name}` to hand over to; there are {}", listed(known))]
    NoContact {
        /// Who was named.
        name: ContactName,
        /// Whom the set-up has.
        known: Vec<ContactName>,
    },
    /// Whoever gives it on would get it.
    #[error("`{0}` is yourself; name somebody else, or leave `to` out to let the next step follow")]
    ToOneself(ContactName),
}

fn listed(names: &[ContactName]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Does what a person wants, or refuses and changes nothing.
///
/// # Errors
/// See [`Refused`].
pub fn decide(case: Case, command: Command, on_call: &OnCall, now: DateTime<Utc>) -> Result<Plan, Refused> {
    let mut desk = Desk::new(case, on_call, now);
    let alert = desk.case.alerts.remove(&command.alert).ok_or(Refused::Unknown)?;
    desk.case.put(alert.clone());
    desk.no_news_since(command.seen)?;
    let alert = desk.lapsed(alert);
    let alert = match command.action {
        Action::Accept => desk.accept(alert, command.by)?,
        Action::TakeOver => desk.take_over(alert, command.by)?,
        Action::Decline => desk.decline(alert, command.by)?,
        Action::HandOver { to } => desk.hand_over(alert, command.by, to)?,
        Action::Extend { until, why } => desk.extend(alert, command.by, until, why)?,
        Action::Dispose { note } => desk.dispose(alert, command.by, note, command.seen)?,
    };
    desk.case.put(alert);
    Ok(desk.plan())
}

impl Desk<'_> {
    fn no_news_since(&self, seen: Revision) -> Result<(), Refused> {
        let current = self.shown;
        if seen > current {
            return Err(Refused::Ahead { seen, current });
        }
        let news = |alert: &&Alert| alert.is_active() && alert.news > seen;
        let alerts: Vec<_> = self.case.alerts.values().filter(news).map(|alert| alert.id).collect();
        if alerts.is_empty() { Ok(()) } else { Err(Refused::News { seen, current, alerts }) }
    }

    /// An acceptance that is over is over, also when its timer has not run yet.
    fn lapsed(&mut self, alert: Alert) -> Alert {
        match &alert.state {
            State::Accepted { chain, .. } if alert.next_instant().is_some_and(|at| at <= self.now) => {
                self.happened(&alert, What::Lapsed);
                Alert { state: State::Open { chain: *chain }, ..alert }
            }
            _ => alert,
        }
    }

    fn accept(&mut self, alert: Alert, by: Person) -> Result<Alert, Refused> {
        let state = alert.state.clone().accept(by.clone(), alert.severity(), self.now)?;
        Ok(self.accepted(alert, state, by))
    }

    /// Whoever had it is paged, as far as that person is a contact; the history names them in any case.
    fn take_over(&mut self, alert: Alert, by: Person) -> Result<Alert, Refused> {
        let (state, holder) = alert.state.clone().take_over(by.clone(), alert.severity(), self.now)?;
        let Some(holder) = holder else { return Ok(self.accepted(alert, state, by)) };
        self.happened(&alert, What::TakenOver { by: by.clone(), from: holder.clone() });
        let mut alert = self.accepted(alert, state, by);
        self.page(&mut alert, self.on_call.contact_of(&holder).into_iter().collect(), Reason::TakenOver);
        Ok(alert)
    }

    fn accepted(&mut self, alert: Alert, state: State, by: Person) -> Alert {
        let changed = alert.state != state;
        let alert = Alert { state, ..alert };
        if changed && let Some((until, _)) = alert.acceptance_ends() {
            self.settled.insert(alert.id);
            let can_be_paged = self.on_call.contact_of(&by).is_some();
            self.happened(&alert, What::Accepted { by, until, can_be_paged });
        }
        alert
    }

    fn decline(&mut self, alert: Alert, by: Person) -> Result<Alert, Refused> {
        let chain = alert.state.clone().hand_over(&by)?;
        self.happened(&alert, What::Declined { by });
        Ok(self.escalate(alert, chain, BTreeSet::new(), Reason::Escalated))
    }

    /// Without a name the next step follows at once; somebody by name has a while to accept before it does.
    fn hand_over(&mut self, mut alert: Alert, by: Person, to: Option<ContactName>) -> Result<Alert, Refused> {
        let to = to.map(|name| self.contact(name)).transpose()?;
        let chain = alert.state.clone().hand_over(&by)?;
        if let Some(own) = to.as_ref().filter(|to| self.on_call.contact_of(&by).as_ref() == Some(*to)) {
            return Err(Refused::ToOneself(own.clone()));
        }
        self.happened(&alert, What::HandedOver { by, to: to.clone() });
        let Some(to) = to else {
            return Ok(self.escalate(alert, chain, BTreeSet::new(), Reason::Escalated));
        };
        self.page(&mut alert, BTreeSet::from([to]), Reason::HandedOver);
        alert.state = State::Open { chain: chain.handed_over(self.now + HAND_OVER_WAIT) };
        Ok(alert)
    }

    /// The contact who is meant by a name, in whatever spelling a token may have it.
    fn contact(&self, name: ContactName) -> Result<ContactName, Refused> {
        let known = || self.on_call.contacts().map(|(name, _)| name.clone()).collect();
        self.on_call.contact_of(&Person(name.0.clone())).ok_or_else(|| Refused::NoContact { name, known: known() })
    }

    fn extend(&mut self, mut alert: Alert, by: Person, until: DateTime<Utc>, why: String) -> Result<Alert, Refused> {
        alert.state = alert.state.clone().extend(until, &by, alert.severity())?;
        self.happened(&alert, What::Extended { by, until, why });
        Ok(alert)
    }

    /// Whoever had accepted it is told, if another signs. News without a revision of the record counts on beyond it: what
    /// the record gets then has not been seen.
    fn dispose(&mut self, alert: Alert, by: Person, note: String, seen: Revision) -> Result<Alert, Refused> {
        let holder = match &alert.state {
            State::Closed { closure, .. } => return Err(Impossible::Closed(closure.word()).into()),
            State::Accepted { by: holder, .. } if *holder != by => self.on_call.contact_of(holder),
            _ => None,
        };
        let mut alert = self.close(alert, Closure::Signed { by, note, seen: seen.min(self.case.revision()) });
        self.page(&mut alert, holder.into_iter().collect(), Reason::Signed);
        Ok(alert)
    }
}
