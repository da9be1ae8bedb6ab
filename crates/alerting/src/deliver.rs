//! Sends what is queued: at once after the commit, and after a restart what was left.
//!
//! Emergencies have a lane of their own, so that no burst of others delays one. A send holds a lease and no transaction;
//! while it lasts a heartbeat keeps the lease, and when this process dies another takes over within seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lasegue_platform::store::{Store, StoreError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use lasegue_contracts::Lane as EventLane;

use crate::channel::{Channels, Failure};
use crate::delivery::{DeliveryState, Failed};
use crate::messages;
use crate::on_call::{Contact, OnCall};
use crate::page::Page;
use crate::store::deliveries::{self, Claimed};

/// Sends under way at once, in each lane of one replica.
const AT_ONCE: usize = 64;
/// How often a lane looks for what other replicas or an earlier process left.
const SWEEP: Duration = Duration::from_secs(1);
/// How often leases are renewed: well within the 2 seconds that they hold.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long a lane waits when the database fails.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Sends pages.
#[derive(Debug)]
pub struct Sender {
    store: Store,
    on_call: Arc<OnCall>,
    channels: Channels,
    owner: Uuid,
    lanes: [Lane; 2],
    under_way: AtomicUsize,
}

#[derive(Debug)]
struct Lane {
    emergency: bool,
    work: Notify,
    places: Arc<Semaphore>,
}

impl Lane {
    fn new(emergency: bool) -> Self {
        Self { emergency, work: Notify::new(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    const fn name(&self) -> &'static str {
        if self.emergency { "emergency" } else { "ordinary" }
    }
}

impl Sender {
    /// A sender that is an owner of leases of its own.
    pub fn new(store: Store, on_call: Arc<OnCall>, channels: Channels) -> Self {
        let owner = store.random().id(store.clock().now());
        let lanes = [Lane::new(true), Lane::new(false)];
        Self { store, on_call, channels, owner, lanes, under_way: AtomicUsize::new(0) }
    }

    /// Says that something was queued.
    pub fn wake(&self) {
        self.lanes.iter().for_each(|lane| lane.work.notify_one());
    }

    /// Sends until `stop`, then finishes what is under way.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let sends = TaskTracker::new();
        let heart = CancellationToken::new();
        let beating = tokio::spawn(self.clone().beat(heart.clone()));
        let [emergencies, others] = &self.lanes;
        tokio::join!(self.serve(emergencies, &sends, &stop), self.serve(others, &sends, &stop));
        sends.close();
        sends.wait().await;
        heart.cancel();
        _ = beating.await;
    }

    async fn serve(self: &Arc<Self>, lane: &Lane, sends: &TaskTracker, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.send_due(lane, sends).await {
                Ok(true) => continue,
                Ok(false) => self.until_next(lane).await,
                Err(error) => {
                    tracing::error!(lane = lane.name(), %error, "the pages to send could not be read");
                    self.store.clock().now() + AFTER_FAILURE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = lane.work.notified() => {}
                () = self.store.clock().sleep_until(wait) => {}
            }
        }
    }

    /// Starts the sends that are due, as far as there are places. False when nothing was due.
    async fn send_due(self: &Arc<Self>, lane: &Lane, sends: &TaskTracker) -> Result<bool, StoreError> {
        let Ok(place) = lane.places.clone().acquire_owned().await else { return Ok(false) };
        if !deliveries::is_due(self.store.reader(), lane.emergency, self.store.clock().now()).await? {
            return Ok(false);
        }
        let free = 1 + lane.places.available_permits() as u64;
        drop(place);
        let claimed = self.claim(lane.emergency, free).await?;
        let any = !claimed.is_empty();
        for claimed in claimed {
            if let Ok(place) = lane.places.clone().acquire_owned().await {
                sends.spawn(self.clone().send(claimed, place));
            }
        }
        Ok(any)
    }

    async fn claim(&self, emergency: bool, most: u64) -> Result<Vec<Claimed>, StoreError> {
        let owner = self.owner;
        self.store
            .commit(move |unit| Box::pin(async move { deliveries::claim(unit, owner, emergency, most).await }))
            .await
    }

    async fn until_next(&self, lane: &Lane) -> chrono::DateTime<chrono::Utc> {
        let sweep = self.store.clock().now() + SWEEP;
        let next = deliveries::next_wake(self.store.reader(), lane.emergency).await;
        next.ok().flatten().map_or(sweep, |at| at.min(sweep))
    }

    async fn send(self: Arc<Self>, claimed: Claimed, place: OwnedSemaphorePermit) {
        let emergency = claimed.row.emergency;
        self.under_way.fetch_add(1, Ordering::SeqCst);
        if let Err(error) = self.attempt(claimed).await {
            tracing::error!(%error, "what became of a page could not be saved; it is sent again, marked");
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        drop(place);
        self.lanes.iter().filter(|lane| lane.emergency == emergency).for_each(|lane| lane.work.notify_one());
    }

    async fn attempt(&self, claimed: Claimed) -> Result<(), StoreError> {
        let contact = self.on_call.contact(&claimed.row.contact());
        let index = usize::try_from(claimed.row.channel).unwrap_or(usize::MAX);
        let Some((contact, address)) = contact.and_then(|contact| Some((contact, contact.channels.get(index)?))) else {
            return self.gone(claimed).await;
        };
        let channel = self.channels.of(address);
        let page = Page::new(&claimed.attempt, self.on_call.link_base(), self.store.clock().now());
        let outcome = channel.send(&page).await;
        let word = outcome.map_or_else(Failure::word, |()| "sent");
        metrics::counter!("page_attempts_total", "channel" => channel.name(), "outcome" => word).increment(1);
        match outcome {
            Ok(()) => self.delivered(claimed, channel.name(), channel.receipt().into()).await,
            Err(failure) => self.failed(claimed, channel.name(), failure, contact).await,
        }
    }

    async fn delivered(&self, claimed: Claimed, channel: &'static str, state: DeliveryState) -> Result<(), StoreError> {
        let took = self.store.clock().now() - claimed.row.created_at;
        metrics::histogram!("page_delivery_seconds", "channel" => channel).record(took.as_seconds_f64());
        tracing::info!(page = %claimed.attempt.page, attempt = claimed.attempt.number, channel, "a page was delivered");
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    if deliveries::settle(unit, &claimed.row, state, None).await? {
                        let event = messages::page_delivered(&claimed, channel, unit.now());
                        unit.publish(EventLane::Live, claimed.row.case_id, &event).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn failed(
        &self,
        claimed: Claimed,
        channel: &'static str,
        failure: Failure,
        contact: &Contact,
    ) -> Result<(), StoreError> {
        tracing::warn!(page = %claimed.attempt.page, attempt = claimed.attempt.number, channel, cause = failure.word(), "a page did not get through");
        let failed = Failed {
            failure,
            attempts: claimed.row.attempts.try_into().unwrap_or(u32::MAX),
            channel: claimed.row.channel.try_into().unwrap_or(usize::MAX),
            channels: contact.channels.len(),
            channel_since: claimed.row.channel_since,
            created_at: claimed.row.created_at,
        };
        let jitter = u32::try_from(self.store.random().below(1000)).unwrap_or_default();
        let next = failed.next(self.store.clock().now(), jitter);
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    let held = deliveries::try_again(unit, &claimed.row, &failed, next).await?;
                    if held && next.leaves_channel() {
                        let event = messages::page_failed(&claimed, channel, failure, unit.now());
                        unit.publish(EventLane::Live, claimed.row.case_id, &event).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The contact or its channel is no longer in the set-up.
    async fn gone(&self, claimed: Claimed) -> Result<(), StoreError> {
        tracing::warn!(page = %claimed.attempt.page, "a page's contact is no longer in the on-call set-up");
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    deliveries::settle(unit, &claimed.row, DeliveryState::Failed, Some("no-contact")).await.map(drop)
                })
            })
            .await
    }

    /// Keeps the leases of the sends under way.
    async fn beat(self: Arc<Self>, stop: CancellationToken) {
        let owner = self.owner;
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.store.clock().sleep(HEARTBEAT) => {}
            }
            if self.under_way.load(Ordering::SeqCst) == 0 {
                continue;
            }
            if let Err(error) =
                self.store.commit(move |unit| Box::pin(async move { deliveries::keep_leases(unit, owner).await })).await
            {
                tracing::error!(%error, "the leases of pages under way could not be renewed");
            }
        }
    }
}
