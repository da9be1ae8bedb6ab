//! Which connections of a pool may be used still.
//!
//! After a failover the old primary takes no writes and its connections look well; after a failed COMMIT nobody knows what a
//! connection holds. So one grave failure takes the trust from every connection that was made before it: each is closed
//! when it comes up next, and the address looked up again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) struct Trust(Mutex<Option<Instant>>);

impl Trust {
    /// From now on no connection is trusted that was made before now.
    #[expect(clippy::disallowed_methods, reason = "compared with the age of connections; no result depends on it")]
    pub(super) fn withdraw(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of this age is trusted.
    pub(super) fn holds(&self, age: Duration) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|withdrawn| age < withdrawn.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_trusted_until_a_failure_later_than_itself() {
        let trust = Trust::default();
        assert!(trust.holds(Duration::from_hours(1)));
        trust.withdraw();
        assert!(!trust.holds(Duration::from_hours(1)));
        assert!(trust.holds(Duration::ZERO));
    }
}
