//! Whether units fail for the database's own sake although the probe commits. On a full disk the one row that is there
//! already may still be written; so may the tables that nobody holds locked.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Two failures that are further apart are a hiccup each.
const TOGETHER: TimeDelta = TimeDelta::seconds(10);
/// How long after the last of several the database counts as failing.
const RECENT: TimeDelta = TimeDelta::seconds(5);
/// How long none must come before an outage is over.
const OVER: TimeDelta = TimeDelta::seconds(20);

/// The last two failures.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<Seen>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    last: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

impl Failures {
    /// A unit failed at `now`, and the database was at fault.
    pub(super) fn note(&self, now: DateTime<Utc>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Seen { last: Some(now), before: seen.last };
    }

    /// Whether several have failed, and just now.
    pub(super) fn go_on(&self, now: DateTime<Utc>) -> bool {
        self.are_within(RECENT, now)
    }

    /// Whether several have failed, so lately that more may come.
    pub(super) fn may_go_on(&self, now: DateTime<Utc>) -> bool {
        self.are_within(OVER, now)
    }

    fn are_within(&self, span: TimeDelta, now: DateTime<Utc>) -> bool {
        let Seen { last: Some(last), before: Some(before) } = *self.0.lock().unwrap_or_else(PoisonError::into_inner)
        else {
            return false;
        };
        // A clock that was set back must not keep an outage alive.
        (TimeDelta::zero()..=TOGETHER).contains(&(last - before)) && (TimeDelta::zero()..=span).contains(&(now - last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn several_failures_are_an_outage_and_a_single_one_is_none() {
        let failures = Failures::default();
        assert!(!failures.go_on(at(0)));
        failures.note(at(0));
        failures.note(at(60));
        assert!(!failures.go_on(at(60)), "each is a hiccup");
        failures.note(at(68));
        assert!(failures.go_on(at(73)) && !failures.go_on(at(74)));
        assert!(failures.may_go_on(at(88)) && !failures.may_go_on(at(89)));
        assert!(!failures.may_go_on(at(0)), "the clock was set back");
    }
}
