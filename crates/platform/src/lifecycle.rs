//! Starts the parts of a process and drains them in order: what lets work in stops first, what carries results out last.
//!
//! A part that ends by itself brings the process down, for a process without it would only look alive.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SharedClock;

/// The order of draining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// HTTP servers: they finish the requests under way.
    Serve,
    /// Consumers, timers and senders: they finish what they hold.
    Work,
    /// The outboxes' relays: what they hold is in the database and leaves at the next start.
    Relay,
}

const STAGES: [Stage; 3] = [Stage::Serve, Stage::Work, Stage::Relay];

/// The parts of one process, cheap to clone.
#[derive(Clone)]
pub struct Lifecycle {
    shared: Arc<Shared>,
}

struct Shared {
    clock: SharedClock,
    stages: [Tasks; 3],
    closers: Mutex<Vec<Closer>>,
    /// Cancelled when a part ended by itself.
    broken: CancellationToken,
}

#[derive(Default)]
struct Tasks {
    tasks: TaskTracker,
    stop: CancellationToken,
}

type Closer = (&'static str, Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>);

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle").field("broken", &self.shared.broken.is_cancelled()).finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// An empty process.
    pub fn new(clock: SharedClock) -> Self {
        let shared =
            Shared { clock, stages: Default::default(), closers: Mutex::default(), broken: CancellationToken::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Runs `part` until its stage drains; `part` ends when its token is cancelled.
    pub fn spawn<F>(&self, stage: Stage, name: &'static str, part: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let tasks = &self.shared.stages[stage as usize];
        let (stop, broken) = (tasks.stop.clone(), self.shared.broken.clone());
        let running = tokio::spawn(part(stop.clone()));
        tasks.tasks.spawn(async move {
            let ended = running.await;
            if !stop.is_cancelled() {
                tracing::error!(part = name, panicked = ended.is_err(), "a part of the process ended by itself");
                broken.cancel();
            }
        });
    }

    /// Registers what is closed once all parts have drained, such as a database.
    pub fn on_close(&self, name: &'static str, close: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static) {
        self.shared.closers.lock().unwrap_or_else(PoisonError::into_inner).push((name, Box::new(close)));
    }

    /// Resolves when a part has ended by itself.
    pub async fn broken(&self) {
        self.shared.broken.cancelled().await;
    }

    /// Stops each stage in its order and waits for it, `limit` at most for each; then closes what is left.
    /// False when something had to be left behind.
    pub async fn drain(&self, limit: Duration) -> bool {
        let mut clean = !self.shared.broken.is_cancelled();
        for stage in STAGES {
            let tasks = &self.shared.stages[stage as usize];
            tasks.stop.cancel();
            tasks.tasks.close();
            clean &= self.within(limit, &format!("{stage:?}"), tasks.tasks.wait()).await;
        }
        let closers = std::mem::take(&mut *self.shared.closers.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, close) in closers {
            clean &= self.within(limit, name, close()).await;
        }
        clean
    }

    async fn within(&self, limit: Duration, name: &str, work: impl Future<Output = ()>) -> bool {
        tokio::select! {
            () = work => true,
            () = self.shared.clock.sleep(limit) => {
                tracing::warn!(stage = name, ?limit, "draining took too long and goes on without it");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn note(log: &Arc<Mutex<Vec<&'static str>>>, what: &'static str) {
        log.lock().expect("no test panics while it holds the log").push(what);
    }

    #[tokio::test]
    async fn stages_drain_in_order_and_databases_close_last() {
        let lifecycle = Lifecycle::new(SystemClock::shared());
        let log = Arc::new(Mutex::new(Vec::new()));
        for (stage, name) in [(Stage::Relay, "relay"), (Stage::Serve, "serve"), (Stage::Work, "work")] {
            let log = log.clone();
            lifecycle.spawn(stage, name, |stop| async move {
                stop.cancelled().await;
                note(&log, name);
            });
        }
        let closed = log.clone();
        lifecycle.on_close("database", move || Box::pin(async move { note(&closed, "database") }));
        assert!(lifecycle.drain(Duration::from_secs(5)).await);
        assert_eq!(*log.lock().expect("the parts have ended"), ["serve", "work", "relay", "database"]);
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_breaks_the_process() {
        let lifecycle = Lifecycle::new(SystemClock::shared());
        lifecycle.spawn(Stage::Work, "short", |_| async {});
        lifecycle.broken().await;
        assert!(!lifecycle.drain(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn a_part_that_does_not_stop_is_left_behind() {
        let lifecycle = Lifecycle::new(SystemClock::shared());
        lifecycle.spawn(Stage::Work, "deaf", |_| std::future::pending());
        assert!(!lifecycle.drain(Duration::from_millis(10)).await);
    }
}
