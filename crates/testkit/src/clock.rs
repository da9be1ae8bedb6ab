//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use futures_util::future::BoxFuture;
use lasegue_platform::clock::Clock;
use tokio::sync::watch;

use crate::wait::pause;

/// By how much a clock goes on at a time.
const TICK: Duration = Duration::from_secs(1);

/// A clock that stands still until moved. Sleepers wake when their instant has come.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<watch::Sender<DateTime<Utc>>>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { now: Arc::new(watch::Sender::new(now.trunc_subsecs(6))) }
    }

    /// A clock that shows an RFC 3339 instant.
    ///
    /// # Panics
    /// When the text is none: a test's own mistake.
    pub fn at_text(now: &str) -> Self {
        Self::at(now.parse().expect("the test gives an RFC 3339 instant"))
    }

    /// Moves the clock forward and wakes whoever slept until then.
    pub fn advance(&self, span: Duration) {
        self.now.send_modify(|now| *now += span);
    }

    /// Does `work` that asks again later while a server is busy: with each second that it takes, the clock goes on by one.
    /// Under a clock that stands still it would ask once and then sleep for ever.
    pub fn going_on<F: Future>(&self, work: F) -> impl Future<Output = F::Output> {
        let work = Box::pin(work);
        let going = async {
            loop {
                pause(TICK).await;
                self.advance(TICK);
            }
        };
        async move {
            tokio::select! {
                done = work => done,
                never = going => never,
            }
        }
    }

    /// Puts a clock right that was ahead.
    pub fn turn_back(&self, span: Duration) {
        self.now.send_modify(|now| *now -= span);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.borrow()
    }

    fn sleep_until(&self, instant: DateTime<Utc>) -> BoxFuture<'_, ()> {
        let mut shown = self.now.subscribe();
        Box::pin(async move {
            if shown.wait_for(|now| *now >= instant).await.is_err() {
                // The clock is gone, and with it the test.
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_moved_past_its_instant_and_not_before() {
        let clock = ManualClock::at_text("2026-01-21T09:00:00Z");
        let wake = clock.now() + Duration::from_mins(1);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(wake).await }
        });
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.expect("the sleeper wakes");
    }

    #[tokio::test]
    async fn work_that_sleeps_by_the_clock_ends_while_it_goes_on() {
        let clock = ManualClock::at_text("2026-01-21T09:00:00Z");
        let begin = clock.now();
        clock.going_on(clock.sleep_until(begin + Duration::from_millis(1_500))).await;
        assert_eq!(clock.now() - begin, chrono::TimeDelta::seconds(2));
    }
}
