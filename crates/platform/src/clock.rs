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

    /// Resolves at `instant`, at once if it is past. When the time is set back meanwhile, it resolves no later for that:
    /// who waited looks at the time again.
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
/// How much longer than it was to be a sleep may become before the clock counts as set back.
const SLACK: Duration = Duration::from_secs(1);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    fn sleep_until(&self, instant: DateTime<Utc>) -> BoxFuture<'_, ()> {
        Box::pin(nap_until(instant, || self.now()))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that sleeps on the machine's clock")]
async fn nap_until(instant: DateTime<Utc>, now: impl Fn() -> DateTime<Utc>) {
    let begun = tokio::time::Instant::now();
    let mut most = None;
    while let Ok(left) = (instant - now()).to_std()
        && !left.is_zero()
    {
        let rest = most.get_or_insert(left.saturating_add(SLACK)).saturating_sub(begun.elapsed());
        if rest.is_zero() {
            tracing::error!(by = ?left, "the machine's clock was set back: let it be corrected slowly instead");
            return;
        }
        tokio::time::sleep(left.min(rest).min(LONGEST_NAP)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_sleep_into_the_past_ends_at_once_and_one_into_the_future_not_before() {
        let clock = SystemClock::shared();
        clock.sleep_until(DateTime::UNIX_EPOCH).await;
        let wake = clock.now() + Duration::from_millis(20);
        clock.sleep_until(wake).await;
        assert!(clock.now() >= wake);
    }

    #[tokio::test]
    async fn a_sleeper_whose_clock_is_set_back_wakes_all_the_same() {
        let (clock, asked) = (SystemClock::shared(), AtomicUsize::new(0));
        let begun = clock.now();
        let set_back = || match asked.fetch_add(1, Ordering::SeqCst) {
            0 => clock.now(),
            _ => clock.now() - Duration::from_hours(1),
        };
        nap_until(begun + Duration::from_millis(20), set_back).await;
        assert!(clock.now() >= begun + SLACK);
    }

    #[test]
    fn instants_are_cut_to_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
