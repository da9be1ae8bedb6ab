//! Carries outbox rows to the bus: at once after their commit, and by a sweep whatever was left.
//!
//! Live and bulk rows have separate places under way, so that an import never delays a red flag.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_contracts::topology::{RED_FLAGS, Stream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::outbox::{self, Outgoing};
use super::{Store, StoreError, inbox};
use crate::bus::Bus;

/// Rows under way at once in each class: red flags, live, bulk.
const UNDER_WAY: [usize; 3] = [512, 512, 64];
/// Rows of one class that wait in memory; more stay in the database until there is room.
const WAITING: usize = 1_024;
/// Rows read by one query of a sweep.
const SWEEP: u64 = 512;
/// How often the outbox is swept for rows that the direct way missed.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// A row this young is still on its direct way; only a start-up sweep takes it.
const GRACE: Duration = Duration::from_secs(2);
/// How long a row that the bus refused waits for its next try.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long published rows are kept, so that a transport that lost them can be given them again.
const KEEP_PUBLISHED: Duration = Duration::from_hours(24);
/// How long the inbox remembers: far longer than any row is published again.
const KEEP_HANDLED: Duration = Duration::from_hours(24 * 14);
/// Published rows removed by one sweep.
const FORGET: u64 = 1_024;
/// Marks written by one commit.
const MARKS: usize = 512;

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
    let mut relay =
        Relay { store, bus, done, classes: Default::default(), known: HashSet::new(), sending: JoinSet::new() };
    relay.run(fresh, stop).await;
    drop(relay);
    if let Err(error) = marker.await {
        tracing::error!(%error, "the outbox's marker ended badly");
    }
}

struct Relay {
    store: Store,
    bus: Arc<dyn Bus>,
    done: mpsc::Sender<i64>,
    classes: [Class; 3],
    /// Rows that wait or are under way.
    known: HashSet<i64>,
    sending: JoinSet<(usize, i64)>,
}

#[derive(Default)]
struct Class {
    waiting: VecDeque<Outgoing>,
    under_way: usize,
}

impl Relay {
    async fn run(&mut self, mut fresh: mpsc::Receiver<Outgoing>, stop: CancellationToken) {
        let mut sweep_at = self.store.clock().now();
        let mut grace = Duration::ZERO;
        loop {
            self.start_waiting();
            let clock = self.store.clock().clone();
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(outgoing) = fresh.recv() => self.take(outgoing),
                Some(sent) = self.sending.join_next() => self.settle(sent),
                () = clock.sleep_until(sweep_at) => {
                    let full = self.sweep(grace).await;
                    grace = GRACE;
                    sweep_at = clock.now() + if full { SWEEP_EVERY / 10 } else { SWEEP_EVERY };
                }
            }
        }
    }

    fn take(&mut self, outgoing: Outgoing) {
        let waiting = &mut self.classes[class_of(&outgoing.envelope.subject)].waiting;
        if waiting.len() < WAITING && self.known.insert(outgoing.row) {
            waiting.push_back(outgoing);
        }
    }

    fn start_waiting(&mut self) {
        for (class, most) in UNDER_WAY.into_iter().enumerate() {
            while self.classes[class].under_way < most
                && let Some(outgoing) = self.classes[class].waiting.pop_front()
            {
                self.classes[class].under_way += 1;
                let sending = send(self.store.clone(), self.bus.clone(), outgoing, self.done.clone());
                self.sending.spawn(async move { (class, sending.await) });
            }
        }
    }

    fn settle(&mut self, sent: Result<(usize, i64), tokio::task::JoinError>) {
        match sent {
            Ok((class, row)) => {
                self.classes[class].under_way -= 1;
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
        let before = self.store.clock().now() - grace;
        let mut from = 0;
        loop {
            let rows = outbox::owed(self.store.reader(), self.store.service().name(), from, before, SWEEP).await?;
            let Some(last) = rows.last().map(|outgoing| outgoing.row) else {
                break;
            };
            let whole_page = rows.len() as u64 == SWEEP;
            for outgoing in rows {
                self.take(outgoing);
            }
            if !whole_page {
                break;
            }
            if self.classes.iter().all(|class| class.waiting.len() >= WAITING) {
                return Ok(true);
            }
            from = last + 1;
        }
        self.forget().await?;
        Ok(self.classes.iter().any(|class| class.waiting.len() >= WAITING))
    }

    async fn forget(&self) -> Result<(), StoreError> {
        let now = self.store.clock().now();
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    outbox::forget(unit.db(), now - KEEP_PUBLISHED, FORGET).await?;
                    inbox::forget(unit.db(), now - KEEP_HANDLED).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Red flags first, then what is live, then bulk.
fn class_of(subject: &str) -> usize {
    match Stream::of(subject) {
        Some(stream) if stream.name == RED_FLAGS.name => 0,
        _ if subject.split('.').nth(3) == Some("bulk") => 2,
        _ => 1,
    }
}

async fn send(store: Store, bus: Arc<dyn Bus>, outgoing: Outgoing, done: mpsc::Sender<i64>) -> i64 {
    match bus.publish(&outgoing.envelope).await {
        Ok(_) => {
            // The marker outlives the senders, so this cannot fail while a row is under way.
            let _ = done.send(outgoing.row).await;
        }
        Err(error) => {
            tracing::warn!(service = %store.service(), event = %outgoing.envelope.id, %error, "an event could not be published yet");
            store.clock().sleep(AFTER_FAILURE).await;
        }
    }
    outgoing.row
}

/// Writes down which rows are done, many in one commit.
async fn mark(store: Store, mut marks: mpsc::Receiver<i64>) {
    let mut rows = Vec::with_capacity(MARKS);
    while marks.recv_many(&mut rows, MARKS).await > 0 {
        let now: DateTime<Utc> = store.clock().now();
        let batch = std::mem::take(&mut rows);
        let marked: Result<(), StoreError> = store
            .commit(move |unit| {
                Box::pin(async move { outbox::mark_published(unit.db(), batch, now).await.map_err(StoreError::from) })
            })
            .await;
        if let Err(error) = marked {
            tracing::warn!(service = %store.service(), %error, "published events could not be marked: they are published again");
        }
    }
}
