//! Sends what is queued: at once after the commit, and after a restart what was left.
//!
//! Emergencies have a lane of their own, so that no burst of others delays one, and in each lane no receiver takes up all
//! places, so that none that hangs delays another's pages. A send holds a lease and no transaction;
//! while it lasts a heartbeat keeps the lease, and when this process dies another takes over within seconds.

mod attempt;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lasegue_platform::store::{Store, StoreError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::channel::Channels;
use crate::on_call::OnCall;
use crate::room::{self, Full, Place, Room, Taken};
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
    /// The deliveries that this process is sending. What it owns besides, such as one whose claim was committed and
    /// never answered, is nobody's once the lease is over.
    under_way: Mutex<BTreeSet<Uuid>>,
}

#[derive(Debug)]
struct Lane {
    emergency: bool,
    work: Notify,
    places: Arc<Semaphore>,
    room: Arc<Mutex<Room>>,
}

impl Lane {
    fn new(emergency: bool) -> Self {
        Self { emergency, work: Notify::new(), places: Arc::new(Semaphore::new(AT_ONCE)), room: Arc::default() }
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
        Self { store, on_call, channels, owner, lanes, under_way: Mutex::default() }
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
                    tracing::error!(
                        lane = lane.name(),
                        error = lasegue_platform::chain(&error),
                        "the pages to send could not be read"
                    );
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

    /// Starts the sends that are due, as far as there are places. False when nothing was due that there is one for.
    async fn send_due(self: &Arc<Self>, lane: &Lane, sends: &TaskTracker) -> Result<bool, StoreError> {
        let Ok(place) = lane.places.clone().acquire_owned().await else { return Ok(false) };
        let full = self.full(lane);
        if !deliveries::is_due(self.store.reader(), lane.emergency, &full, self.store.clock().now()).await? {
            return Ok(false);
        }
        let free = 1 + lane.places.available_permits() as u64;
        drop(place);
        let claimed = self.claim(lane, free).await?;
        let any = !claimed.is_empty();
        for claimed in claimed {
            if let Ok(place) = lane.places.clone().acquire_owned().await {
                let taken = Taken::begin(&lane.room, self.place_of(&claimed));
                sends.spawn(self.clone().send(claimed, (place, taken)));
            }
        }
        Ok(any)
    }

    async fn claim(&self, lane: &Lane, most: u64) -> Result<Vec<Claimed>, StoreError> {
        let (owner, emergency, on_call) = (self.owner, lane.emergency, self.on_call.clone());
        let room = room::lock(&lane.room).clone();
        self.store
            .commit(move |unit| {
                Box::pin(async move { deliveries::claim(unit, owner, emergency, most, (room, &on_call)).await })
            })
            .await
    }

    fn full(&self, lane: &Lane) -> Full {
        room::lock(&lane.room).full(&self.on_call)
    }

    fn place_of(&self, claimed: &Claimed) -> Place {
        Place::of(&self.on_call, claimed.row.contact(), claimed.row.channel)
    }

    async fn until_next(&self, lane: &Lane) -> chrono::DateTime<chrono::Utc> {
        let sweep = self.store.clock().now() + SWEEP;
        let next = deliveries::next_wake(self.store.reader(), lane.emergency, &self.full(lane)).await;
        next.ok().flatten().map_or(sweep, |at| at.min(sweep))
    }

    async fn send(self: Arc<Self>, claimed: Claimed, place: (OwnedSemaphorePermit, Taken)) {
        let emergency = claimed.row.emergency;
        let under_way = UnderWay::begin(&self.under_way, claimed.row.id);
        if let Err(error) = self.attempt(claimed).await {
            tracing::error!(
                error = lasegue_platform::chain(&error),
                "what became of a page could not be saved; it is sent again, marked"
            );
        }
        drop((under_way, place));
        self.lanes.iter().filter(|lane| lane.emergency == emergency).for_each(|lane| lane.work.notify_one());
    }

    /// Keeps the leases of the sends under way.
    async fn beat(self: Arc<Self>, stop: CancellationToken) {
        let owner = self.owner;
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.store.clock().sleep(HEARTBEAT) => {}
            }
            let under_way = lock(&self.under_way).clone();
            if under_way.is_empty() {
                continue;
            }
            let kept = self
                .store
                .commit(move |unit| Box::pin(async move { deliveries::keep_leases(unit, owner, under_way).await }));
            if let Err(error) = kept.await {
                tracing::error!(
                    error = lasegue_platform::chain(&error),
                    "the leases of pages under way could not be renewed"
                );
            }
        }
    }
}

/// One delivery is being sent until this is dropped.
struct UnderWay<'a> {
    all: &'a Mutex<BTreeSet<Uuid>>,
    id: Uuid,
}

impl<'a> UnderWay<'a> {
    fn begin(all: &'a Mutex<BTreeSet<Uuid>>, id: Uuid) -> Self {
        lock(all).insert(id);
        Self { all, id }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(self.all).remove(&self.id);
    }
}

fn lock(under_way: &Mutex<BTreeSet<Uuid>>) -> MutexGuard<'_, BTreeSet<Uuid>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
