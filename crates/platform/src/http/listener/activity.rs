//! What a connection does: which requests are under way on it and since when, or since when there are none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;

/// How long a connection may have no request under way. The head of a request must have come by then.
pub(super) const SILENT: Duration = Duration::from_secs(20);

/// How long after its last answer a connection does not make way: the answer may be leaving still.
const LEAVING: TimeDelta = TimeDelta::milliseconds(100);

/// What one connection does. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    doing: Arc<Mutex<Doing>>,
    leave: CancellationToken,
}

#[derive(Debug)]
struct Doing {
    /// When each request under way began, in the order of their numbers.
    under_way: BTreeMap<u64, DateTime<Utc>>,
    /// Requests so far.
    begun: u64,
    idle_since: DateTime<Utc>,
    has_answered: bool,
}

impl Activity {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let doing = Doing { under_way: BTreeMap::new(), begun: 0, idle_since: now, has_answered: false };
        Self { doing: Arc::new(Mutex::new(doing)), leave: CancellationToken::new() }
    }

    /// A request has begun; it ends when what is given back is dropped.
    pub(super) fn begin(&self, clock: &SharedClock) -> UnderWay {
        let now = clock.now();
        let mut doing = self.lock();
        let number = doing.begun;
        doing.begun += 1;
        doing.under_way.insert(number, now);
        UnderWay { activity: self.clone(), clock: clock.clone(), number }
    }

    /// Since when nothing is under way.
    pub(super) fn idle_since(&self) -> Option<DateTime<Utc>> {
        let doing = self.lock();
        doing.under_way.is_empty().then_some(doing.idle_since)
    }

    /// Since when nothing is under way, when it may end at `now` and nothing is lost by it.
    pub(super) fn may_end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let has_answered = self.lock().has_answered;
        self.idle_since().filter(|since| !has_answered || *since + LEAVING <= now)
    }

    /// Resolves when nothing was under way for too long.
    pub(super) async fn silent(&self, clock: &SharedClock) {
        loop {
            let now = clock.now();
            let end = self.idle_since().unwrap_or(now) + SILENT;
            if end <= now {
                return;
            }
            clock.sleep_until(end).await;
        }
    }

    /// Resolves when a request has been under way for `most`. Of an answer that is never asked for, as HTTP/2 allows,
    /// nothing else would be noticed.
    pub(super) async fn overdue(&self, clock: &SharedClock, most: Duration) {
        loop {
            let now = clock.now();
            let oldest = self.lock().under_way.values().next().copied();
            let end = oldest.unwrap_or(now) + most;
            if end <= now {
                return;
            }
            clock.sleep_until(end).await;
        }
    }

    /// Somebody else needs the place.
    pub(super) fn send_away(&self) {
        self.leave.cancel();
    }

    /// Resolves when somebody else needs the place.
    pub(super) async fn sent_away(&self) {
        self.leave.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way, until all of its answer has been taken or the connection has ended.
#[derive(Debug)]
pub(super) struct UnderWay {
    activity: Activity,
    clock: SharedClock,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now = self.clock.now();
        let mut doing = self.activity.lock();
        doing.under_way.remove(&self.number);
        doing.idle_since = now;
        doing.has_answered = true;
    }
}
