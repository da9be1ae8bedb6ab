//! Carries outbox rows to the bus: at once after their commit, and by a sweep whatever was left.
//!
//! Live and bulk rows have separate places under way, so that an import never delays a red flag. After a new connection
//! nothing leaves before it is settled what the transport lost, and what it lost leaves behind everything new, as does what
//! was handed over from hand to hand meanwhile. While the transport is away nothing is taken up, so that nothing waits in
//! the connection and leaves in a burst. Relays of several replicas share one outbox and take its rows without meeting.

mod forget;
mod lane;
mod mark;
mod prove;
mod refused;
mod send;
mod streams;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::OptionFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::forget::RESTORABLE_FOR;
use self::forget::forget;
use self::lane::{LANES, Lane, WAITING, lanes};
use self::mark::{MARKS, Mark, mark};
use self::prove::prove;
use self::send::send;
use super::outbox::{self, Class, Outgoing};
use super::{Store, StoreError, recovery};
use crate::bus::Bus;
use crate::chain;

/// Rows read by one query of a sweep.
const SWEEP: u64 = 512;
/// How often the outbox is swept for rows that the direct way missed.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
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
    let (outcomes, marks) = mpsc::channel(MARKS);
    let marker = tokio::spawn(mark(store.clone(), marks));
    let proving = tokio::spawn(prove(store.clone(), bus.clone(), stop.clone()));
    let forgetting = tokio::spawn(forget(store.clone(), stop.clone()));
    let connected = bus.connected(store.service());
    let (lost, losses) = mpsc::channel(1);
    let watching = connected.is_some().then(|| streams::watch(store.clone(), bus.clone(), lost, stop.clone()));
    let watching = tokio::spawn(async { OptionFuture::from(watching).await.unwrap_or_default() });
    let mut relay = Relay {
        settled: connected.is_none(),
        complete: connected.is_none(),
        store,
        bus,
        outcomes,
        lanes: lanes(),
        known: HashSet::new(),
        sending: JoinSet::new(),
    };
    relay.run(fresh, connected, losses, stop).await;
    relay.let_go().await;
    drop(relay);
    let parts = [("marker", marker), ("prover", proving), ("forgetter", forgetting), ("watcher", watching)];
    for (part, task) in parts {
        let ending = task.await;
        if let Err(error) = ending {
            tracing::error!(error = crate::chain(&error), part, "a part of the relay ended badly");
        }
    }
}

struct Relay {
    store: Store,
    bus: Arc<dyn Bus>,
    /// Whether it is known what the transport holds.
    settled: bool,
    /// Whether it is known of every stream: one that another service makes may not be there yet.
    complete: bool,
    outcomes: mpsc::Sender<Mark>,
    lanes: [Lane; LANES],
    /// Rows that wait or are under way.
    known: HashSet<i64>,
    sending: JoinSet<(usize, i64)>,
}

impl Relay {
    async fn run(
        &mut self,
        mut fresh: mpsc::Receiver<Outgoing>,
        mut connected: Option<watch::Receiver<u64>>,
        mut losses: mpsc::Receiver<()>,
        stop: CancellationToken,
    ) {
        let clock = self.store.clock().clone();
        let (mut sweep, mut settle) = (clock.sleep(Duration::ZERO), clock.sleep(Duration::ZERO));
        // On SQLite nobody else is there: what was in hand when this process ended is nobody's.
        let mut leases = !self.store.is_sole_writer();
        loop {
            self.start_waiting();
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = next_connection(&mut connected) => {
                    (self.settled, self.complete) = (false, false);
                    settle = clock.sleep(Duration::ZERO);
                }
                Some(()) = losses.recv(), if self.complete => {
                    self.complete = false;
                    settle = clock.sleep(Duration::ZERO);
                }
                () = &mut settle, if !self.complete => {
                    match self.recover().await {
                        Ok(()) => sweep = clock.sleep(Duration::ZERO),
                        Err(error) => tracing::warn!(service = %self.store.service(), error = crate::chain(&error), "it is not known yet what the bus holds"),
                    }
                    settle = clock.sleep(AFTER_FAILURE);
                }
                Some(outgoing) = fresh.recv() => self.take_fresh(outgoing),
                Some(sent) = self.sending.join_next() => self.sent(sent),
                () = &mut sweep => {
                    let full = self.sweep(leases).await;
                    leases = true;
                    sweep = clock.sleep(if full { SWEEP_EVERY / 10 } else { SWEEP_EVERY });
                }
            }
        }
    }

    /// While the transport is away the row is left to a sweep, which knows whether it was handed over meanwhile.
    fn take_fresh(&mut self, outgoing: Outgoing) {
        if !self.is_away() {
            self.take(Class::of(&outgoing.envelope.subject) as usize, outgoing);
        }
    }

    fn is_away(&self) -> bool {
        self.bus.is_away(self.store.service())
    }

    fn take(&mut self, lane: usize, outgoing: Outgoing) {
        let waiting = &mut self.lanes[lane].waiting;
        if waiting.len() < WAITING && self.known.insert(outgoing.row) {
            waiting.push_back(outgoing);
        }
    }

    /// Leaves what has not left to others, at once.
    async fn let_go(&mut self) {
        self.sending.shutdown().await;
        for row in self.known.drain() {
            let _ = self.outcomes.send(Mark::GivenBack(row)).await;
        }
    }

    /// Asks what the transport holds and owes it again what it lost.
    async fn recover(&mut self) -> Result<(), recovery::RecoveryError> {
        self.complete = recovery::recover(&self.store, &*self.bus).await?;
        self.settled = true;
        Ok(())
    }

    fn start_waiting(&mut self) {
        if !self.settled || self.is_away() {
            return;
        }
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            while lane.under_way < lane.most
                && let Some(outgoing) = lane.waiting.pop_front()
            {
                lane.under_way += 1;
                let sending = send(self.store.clone(), self.bus.clone(), outgoing, self.outcomes.clone());
                let (clock, pace) = (self.store.clock().clone(), lane.pace);
                self.sending.spawn(async move { (number, tokio::join!(sending, clock.sleep(pace)).0) });
            }
        }
    }

    fn sent(&mut self, sent: Result<(usize, i64), tokio::task::JoinError>) {
        match sent {
            Ok((lane, row)) => {
                self.lanes[lane].under_way -= 1;
                self.known.remove(&row);
            }
            Err(error) => tracing::error!(error = crate::chain(&error), "publishing an event ended badly"),
        }
    }

    /// Takes up owed rows that are nobody's. True when there may be more.
    async fn sweep(&mut self, leases: bool) -> bool {
        let swept = self.try_sweep(leases).await;
        if let Err(error) = &swept {
            tracing::error!(service = %self.store.service(), error = chain(error), "the outbox could not be swept");
        }
        swept.unwrap_or(false)
    }

    async fn try_sweep(&mut self, leases: bool) -> Result<bool, StoreError> {
        let mut more = false;
        for lane in 0..self.lanes.len() {
            more |= self.sweep_lane(lane, leases).await?;
        }
        Ok(more)
    }

    /// Takes up at most one page of a lane, as far as there is room.
    async fn sweep_lane(&mut self, lane: usize, leases: bool) -> Result<bool, StoreError> {
        let wanted = self.lanes[lane].wanted;
        let most = SWEEP.min(WAITING.saturating_sub(self.lanes[lane].waiting.len()) as u64);
        let now = self.store.clock().now();
        if !self.settled
            || self.is_away()
            || most == 0
            || !outbox::any_free(self.store.reader(), wanted, leases, now).await?
        {
            return Ok(false);
        }
        let source = self.store.service().name();
        let taking = self.store.commit(move |unit| {
            Box::pin(async move {
                Ok::<_, StoreError>(outbox::take(unit.db(), source, wanted, leases, unit.now(), most).await?)
            })
        });
        let rows: Vec<Outgoing> = taking.await?;
        let more = rows.len() as u64 == most;
        for outgoing in rows {
            self.take(lane, outgoing);
        }
        Ok(more)
    }
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
