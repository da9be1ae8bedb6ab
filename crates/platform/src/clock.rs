//! Time, injected. Nothing else in the project reads a clock.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use futures_util::future::BoxFuture;

/// A source of time, always cut to microseconds: the finest that both databases keep.
pub trait Clock: Send + Sync + Debug {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// Resolves at `instant`, at once if it is past.
    fn sleep_until(&self, instant: DateTime<Utc>) -> BoxFuture<'_, ()>;
}

/// A clock that parts share.
pub type SharedClock = Arc<dyn Clock>;

impl dyn Clock + '_ {
    /// Resolves after `span`.
    pub fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        self.sleep_until(self.now() + span)
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock, ready to share.
    pub fn shared() -> SharedClock {
        Arc::new(Self)
    }
}

/// A wall clock may be set; a sleeper looks again at least this often.
const LONGEST_NAP: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps on the machine's clock")]
    fn sleep_until(&self, instant: DateTime<Utc>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            while let Ok(left) = (instant - self.now()).to_std()
                && !left.is_zero()
            {
                tokio::time::sleep(left.min(LONGEST_NAP)).await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleep_into_the_past_ends_at_once_and_one_into_the_future_not_before() {
        let clock = SystemClock::shared();
        clock.sleep_until(DateTime::UNIX_EPOCH).await;
        let wake = clock.now() + Duration::from_millis(20);
        clock.sleep_until(wake).await;
        assert!(clock.now() >= wake);
    }

    #[test]
    fn instants_are_cut_to_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
