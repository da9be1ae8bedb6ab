//! Carries outbox rows to the bus: at once after their commit, and by a sweep whatever was left.
//!
//! Live and bulk rows have separate places under way, so that an import never delays a red flag. After a new connection
//! nothing leaves before it is settled what the transport lost.

mod forget;
mod lane;
mod mark;
mod send;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::forget::forget;
use self::lane::{Lane, UNDER_WAY, WAITING};
use self::mark::{MARKS, mark};
use self::send::send;
use super::outbox::{self, Class, Outgoing};
use super::{Store, StoreError, recovery};
use crate::bus::{Bus, BusError};

/// Rows read by one query of a sweep.
const SWEEP: u64 = 512;
/// How often the outbox is swept for rows that the direct way missed.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// A row this young is still on its direct way; only a start-up sweep takes it.
const GRACE: Duration = Duration::from_secs(2);
/// How long the bus is left alone before it is asked again what it holds.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Publishes the rows of `store`'s outbox on `bus` until `stop`; then gives those under way no further chance: they are
/// in the database and leave at the next start.
pub async fn relay(store: Store, bus: Arc<dyn Bus>, stop: CancellationToken) {
    let fresh = store.shared.to_relay.lock().ok().and_then(|mut taken| taken.take());
    let Some(fresh) = fresh else {
        tracing::error!(service = %store.service(), "the outbox already has a relay: this second one ends");
        return;
    };
    let (done, marks) = mpsc::channel(MARKS);
    let marker = tokio::spawn(mark(store.clone(), marks));
    let connected = bus.connected(store.service());
    let mut relay = Relay {
        settled: connected.is_none(),
        store,
        bus,
        done,
        lanes: Default::default(),
        known: HashSet::new(),
        sending: JoinSet::new(),
    };
    relay.run(fresh, connected, stop).await;
    drop(relay);
    if let Err(error) = marker.await {
        tracing::error!(%error, "the outbox's marker ended badly");
    }
}

struct Relay {
    store: Store,
    bus: Arc<dyn Bus>,
    /// Whether it is known what the transport holds.
    settled: bool,
    done: mpsc::Sender<outbox::Published>,
    lanes: [Lane; 3],
    /// Rows that wait or are under way.
    known: HashSet<i64>,
    sending: JoinSet<(usize, i64)>,
}

impl Relay {
    async fn run(
        &mut self,
        mut fresh: mpsc::Receiver<Outgoing>,
        mut connected: Option<watch::Receiver<u64>>,
        stop: CancellationToken,
    ) {
        let clock = self.store.clock().clone();
        let (mut sweep, mut settle) = (clock.sleep(Duration::ZERO), clock.sleep(Duration::ZERO));
        let mut grace = Duration::ZERO;
        loop {
            self.start_waiting();
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = next_connection(&mut connected) => {
                    self.settled = false;
                    settle = clock.sleep(Duration::ZERO);
                }
                () = &mut settle, if !self.settled => {
                    match self.recover().await {
                        Ok(()) => sweep = clock.sleep(Duration::ZERO),
                        Err(error) => tracing::warn!(service = %self.store.service(), %error, "it is not known yet what the bus holds"),
                    }
                    settle = clock.sleep(AFTER_FAILURE);
                }
                Some(outgoing) = fresh.recv() => self.take(outgoing),
                Some(sent) = self.sending.join_next() => self.sent(sent),
                () = &mut sweep => {
                    let full = self.sweep(grace).await;
                    grace = GRACE;
                    sweep = clock.sleep(if full { SWEEP_EVERY / 10 } else { SWEEP_EVERY });
                }
            }
        }
    }

    fn take(&mut self, outgoing: Outgoing) {
        let waiting = &mut self.lanes[Class::of(&outgoing.envelope.subject) as usize].waiting;
        if waiting.len() < WAITING && self.known.insert(outgoing.row) {
            waiting.push_back(outgoing);
        }
    }

    /// Asks what the transport holds and owes it again what it lost.
    async fn recover(&mut self) -> Result<(), RecoveryError> {
        let holdings = self.bus.holdings(self.store.service()).await?;
        recovery::recover(&self.store, holdings).await?;
        self.settled = true;
        Ok(())
    }

    fn start_waiting(&mut self) {
        if !self.settled {
            return;
        }
        for (class, most) in UNDER_WAY.into_iter().enumerate() {
            while self.lanes[class].under_way < most
                && let Some(outgoing) = self.lanes[class].waiting.pop_front()
            {
                self.lanes[class].under_way += 1;
                let sending = send(self.store.clone(), self.bus.clone(), outgoing, self.done.clone());
                self.sending.spawn(async move { (class, sending.await) });
            }
        }
    }

    fn sent(&mut self, sent: Result<(usize, i64), tokio::task::JoinError>) {
        match sent {
            Ok((class, row)) => {
                self.lanes[class].under_way -= 1;
                self.known.remove(&row);
            }
            Err(error) => tracing::error!(%error, "publishing an event ended badly"),
        }
    }

    /// Takes up owed rows that are not known yet. True when there may be more.
    async fn sweep(&mut self, grace: Duration) -> bool {
        let swept = self.try_sweep(grace).await;
        if let Err(error) = &swept {
            tracing::error!(service = %self.store.service(), %error, "the outbox could not be swept");
        }
        swept.unwrap_or(false)
    }

    async fn try_sweep(&mut self, grace: Duration) -> Result<bool, StoreError> {
        let now = self.store.clock().now();
        let mut more = false;
        for class in Class::ALL {
            more |= self.sweep_class(class, [now - grace, now + GRACE]).await?;
        }
        forget(&self.store).await?;
        Ok(more)
    }

    /// Takes up at most one page of a class, as far as there is room. The next sweep goes on behind it, and begins anew
    /// once the end was reached: a row that failed, or was committed late, is found again.
    async fn sweep_class(&mut self, class: Class, young: [DateTime<Utc>; 2]) -> Result<bool, StoreError> {
        let room = WAITING.saturating_sub(self.lanes[class as usize].waiting.len());
        let most = SWEEP.min(room as u64);
        if most == 0 {
            return Ok(true);
        }
        let (db, source, after) = (self.store.reader(), self.store.service().name(), self.lanes[class as usize].swept);
        let rows = outbox::owed(db, source, class, after, young, most).await?;
        let more = rows.len() as u64 == most;
        self.lanes[class as usize].swept = rows.last().filter(|_| more).map_or(0, |last| last.row);
        for outgoing in rows {
            self.take(outgoing);
        }
        Ok(more)
    }
}

/// Why it could not be settled what the transport lost. Trying again may help.
#[derive(Debug, thiserror::Error)]
enum RecoveryError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Resolves when the transport was connected anew, for one that keeps events itself.
async fn next_connection(connected: &mut Option<watch::Receiver<u64>>) {
    if let Some(count) = connected
        && count.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}
