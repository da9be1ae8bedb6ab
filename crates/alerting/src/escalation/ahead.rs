//! How far ahead an alert's next step can lie. One that lies further was planned by a clock that was ahead.

use chrono::{DateTime, TimeDelta, Utc};

use super::command::HAND_OVER_WAIT;
use super::report::OPERATOR_WAIT;
use super::{Desk, tick};
use crate::alert::Alert;
use crate::case::Case;
use crate::chain::SHORTEST_REPEAT;
use crate::on_call::OnCall;
use crate::plan::Plan;
use crate::severity::LONGEST_ACCEPTANCE;
use crate::state::State;

/// A clock that is put right by less than this is no clock that was ahead.
const TOLERANCE: TimeDelta = TimeDelta::seconds(20);

/// The furthest instants at which a next step can lie.
#[derive(Clone, Copy, Debug)]
pub struct Furthest {
    /// Of an alert that pages.
    pub open: DateTime<Utc>,
    /// Of one that somebody has accepted.
    pub accepted: DateTime<Utc>,
}

impl Furthest {
    /// As seen from `now`.
    pub fn of(on_call: &OnCall, now: DateTime<Utc>) -> Self {
        let waits = [on_call.longest_wait(), SHORTEST_REPEAT, HAND_OVER_WAIT, OPERATOR_WAIT];
        let longest = waits.into_iter().max().unwrap_or_default();
        Self { open: now + longest + TOLERANCE, accepted: now + LONGEST_ACCEPTANCE + TOLERANCE }
    }

    fn is_passed_by(&self, alert: &Alert) -> bool {
        let furthest = match alert.state {
            State::Open { .. } => self.open,
            State::Accepted { .. } => self.accepted,
            State::Listed { .. } | State::Closed { .. } => return false,
        };
        alert.next_instant().is_some_and(|at| at > furthest)
    }
}

/// Does what is due at `now`, and takes each step that lies further ahead than one can.
pub fn decide(case: Case, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let furthest = Furthest::of(on_call, now);
    tick::take(Desk::new(case, on_call, now), |alert| furthest.is_passed_by(alert))
}
