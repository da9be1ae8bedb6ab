//! Hands over from hand to hand what the transport does not take: each consumer's events have places of their own, so that
//! a reader that is away holds up no other.
//!
//! The rows stay owed to the transport as well. Which were handed over stands in the outbox, so a restart repeats nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_contracts::topology::Consumer;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::outbox::{self, Outgoing};
use super::{Store, StoreError};
use crate::direct::SecondWay;

/// How long the transport has for an event: with the time between two looks two seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a red flag may be in the transport before its reader is known to have it.
const UNREAD: Duration = Duration::from_secs(5);
/// How often it is looked for what the transport has not taken.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Events handed over side by side.
const AT_ONCE: usize = 32;
/// Events that wait for their turn, or for another try.
const WAITING: usize = 512;
/// How long an event that could not be handed over waits for its next try.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// What the transport took so shortly before it went away may not have left it.
const BEFORE_AWAY: Duration = Duration::from_secs(30);
/// The same for a transport that is away from the start.
const BEFORE_START: Duration = Duration::from_mins(5);

/// Hands over what `consumer` must hear and the transport does not take, until `stop`.
pub async fn second_way(store: Store, way: Arc<dyn SecondWay>, consumer: &'static Consumer, stop: CancellationToken) {
    let away_since = way.is_needed(store.service()).then(|| store.clock().now() - BEFORE_START);
    let mut hands = Hands {
        places: Arc::new(Semaphore::new(AT_ONCE)),
        handing: JoinSet::new(),
        under_way: HashSet::new(),
        heard: Vec::new(),
        away_since,
        store,
        way,
        consumer,
    };
    hands.run(stop).await;
}

struct Hands {
    store: Store,
    way: Arc<dyn SecondWay>,
    consumer: &'static Consumer,
    places: Arc<Semaphore>,
    handing: JoinSet<(i64, bool)>,
    /// Rows that are being handed over or wait for it.
    under_way: HashSet<i64>,
    /// Rows whose reader has taken them, not noted yet.
    heard: Vec<i64>,
    /// From when on what the transport took may still be in it.
    away_since: Option<DateTime<Utc>>,
}

impl Hands {
    async fn run(&mut self, stop: CancellationToken) {
        let clock = self.store.clock().clone();
        let mut look = clock.sleep(Duration::ZERO);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(handed) = self.handing.join_next() => self.handed(handed),
                () = &mut look => {
                    if let Err(error) = self.look().await {
                        let (service, error) = (self.store.service(), crate::chain(&error));
                        tracing::error!(%service, error, "it is not known what the bus has not taken");
                    }
                    look = clock.sleep(LOOK_EVERY);
                }
            }
        }
    }

    /// Takes up what the transport has not taken in time, at once when it is known to be away.
    async fn look(&mut self) -> Result<(), StoreError> {
        self.note_heard().await?;
        let (service, now) = (self.store.service(), self.store.clock().now());
        let away = self.way.is_needed(service);
        self.away_since = away.then(|| self.away_since.unwrap_or(now - BEFORE_AWAY));
        let before = if away { now } else { now - PATIENCE };
        let room = WAITING.saturating_sub(self.under_way.len());
        let (db, source, span) = (self.store.reader(), service.name(), [before, now + PATIENCE]);
        let but = self.under_way.iter().copied();
        let mut rows =
            outbox::unheard(db, self.consumer, source, span, self.away_since, but.clone(), room as u64).await?;
        if self.consumer.stream.receipts {
            let room = room.saturating_sub(rows.len());
            rows.extend(outbox::unread(db, self.consumer, source, now - UNREAD, but, room as u64).await?);
        }
        if !rows.is_empty() {
            tracing::warn!(%service, consumer = self.consumer.name, events = rows.len(), "the bus does not take events: they are handed over directly");
        }
        for outgoing in rows {
            self.under_way.insert(outgoing.row);
            let handing = hand(self.store.clone(), self.way.clone(), self.consumer, outgoing, self.places.clone());
            self.handing.spawn(handing);
        }
        Ok(())
    }

    fn handed(&mut self, handed: Result<(i64, bool), tokio::task::JoinError>) {
        match handed {
            // It stays under way until it is noted, so that it is not taken up again.
            Ok((row, true)) => self.heard.push(row),
            Ok((row, false)) => _ = self.under_way.remove(&row),
            Err(error) => tracing::error!(error = crate::chain(&error), "handing an event over ended badly"),
        }
    }

    async fn note_heard(&mut self) -> Result<(), StoreError> {
        if self.heard.is_empty() {
            return Ok(());
        }
        let (rows, now) = (self.heard.clone(), self.store.clock().now());
        let noted: Result<(), StoreError> = self
            .store
            .background()
            .commit(move |unit| Box::pin(async move { Ok(outbox::mark_handed(unit.db(), rows, now).await?) }))
            .await;
        noted?;
        for row in self.heard.drain(..) {
            self.under_way.remove(&row);
        }
        Ok(())
    }
}

/// Tries once to hand an event over. Gives back its row, and whether its reader has taken it.
async fn hand(
    store: Store,
    way: Arc<dyn SecondWay>,
    consumer: &'static Consumer,
    outgoing: Outgoing,
    places: Arc<Semaphore>,
) -> (i64, bool) {
    let Outgoing { row, envelope, .. } = outgoing;
    let Ok(place) = places.acquire_owned().await else { return (row, false) };
    let handed = way.hand_over(consumer, &envelope).await;
    drop(place);
    let outcome = if handed.is_ok() { "taken" } else { "failed" };
    metrics::counter!("bus_handed_over_total", "consumer" => consumer.name, "outcome" => outcome).increment(1);
    if let Err(error) = handed {
        let (event, consumer) = (envelope.id, consumer.name);
        tracing::warn!(%event, consumer, error = crate::chain(&error), "an event could not be handed over yet");
        store.clock().sleep(AFTER_FAILURE).await;
        return (row, false);
    }
    (row, true)
}
