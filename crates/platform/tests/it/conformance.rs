//! What every bus must do, seen from outside: an outbox on one side, a durable consumer on the other.
//!
//! Each check takes a [`World`], so the same suite runs on every transport.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::scheduling::VisitOverdue;
use lasegue_contracts::topology::{ALERTING_VISITS, Consumer, STREAMS};
use lasegue_contracts::{Envelope, Event, Service};
use lasegue_platform::bus::Bus;
use lasegue_platform::consume::{Consuming, Handler, HandlerError};
use lasegue_platform::direct::live_consumers;
use lasegue_platform::store::{self, Store, StoreError, dead_letters, outbox};
use lasegue_testkit::wait::pause;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{Home, eventually, home};

/// The consumer that the suite uses: it has a stream with events that it does not take, too.
const CONSUMER: &Consumer = &ALERTING_VISITS;

/// A bus that can be restarted as its transport would be.
#[async_trait]
pub(crate) trait World: Send + Sync {
    /// A connection to the bus.
    async fn bus(&self) -> Arc<dyn Bus>;
    /// The transport dies and comes back; connections made before are of no use.
    async fn restart(&self);
}

/// One process that publishes: a store and its relay.
pub(crate) struct Sender {
    home: Home,
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Sender {
    pub(crate) async fn start(world: &dyn World) -> Self {
        Self::over(home(Service::Scheduling).await, world).await
    }

    pub(crate) async fn over(home: Home, world: &dyn World) -> Self {
        let (stop, bus) = (CancellationToken::new(), world.bus().await);
        let mut tasks = vec![tokio::spawn(store::relay(home.store.clone(), bus.clone(), stop.clone()))];
        if let Some(way) = bus.second_way() {
            let handing = |consumer| store::second_way(home.store.clone(), way.clone(), consumer, stop.clone());
            tasks.extend(live_consumers(Service::Scheduling).map(|consumer| tokio::spawn(handing(consumer))));
        }
        Self { home, tasks, stop }
    }

    /// Stops publishing, as a process that ends.
    pub(crate) async fn end(self) -> Home {
        self.stop.cancel();
        for task in self.tasks {
            task.await.expect("it drains");
        }
        self.home.store.close().await;
        self.home
    }

    async fn restart(self, world: &dyn World) -> Self {
        let home = self.end().await.again(Service::Scheduling).await;
        Self::over(home, world).await
    }

    pub(crate) async fn send(&self, count: usize) {
        for number in 0..count {
            let episode = Uuid::from_u128(number as u128 + 1);
            self.home
                .store
                .commit::<_, StoreError, _>(move |unit| {
                    Box::pin(async move { unit.publish(Lane::Live, episode, &overdue(episode)).await })
                })
                .await
                .expect("an event can be written");
        }
    }

    /// The place in its stream of the event that was written last.
    pub(crate) async fn last_place(&self) -> Option<i64> {
        let last = outbox::Entity::find().order_by_desc(outbox::Column::Id).one(self.home.store.reader()).await;
        last.expect("it can be read").and_then(|row| row.sequence)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.home.store
    }

    pub(crate) async fn all_done(&self) {
        eventually("the outbox is empty", || async { self.owes().await == 0 }).await;
    }

    /// Its reader has handled everything.
    pub(crate) async fn all_proved(&self) {
        let unproved = || outbox::Entity::find().filter(outbox::Column::ProvedAt.is_null());
        let db = self.home.store.reader();
        eventually("every row is proved", || async { unproved().count(db).await.expect("it can be counted") == 0 })
            .await;
    }

    pub(crate) async fn owes(&self) -> u64 {
        outbox::count_owed(self.home.store.reader()).await.expect("it can be counted")
    }
}

fn overdue(episode: Uuid) -> VisitOverdue {
    VisitOverdue { episode_id: episode.to_string(), revision: 1, kind: "initial".to_owned(), at: None }
}

/// What the receiving side saw: how often each event was delivered, and how often it had its effect.
#[derive(Default)]
pub(crate) struct Seen {
    deliveries: Mutex<HashMap<Uuid, usize>>,
    effects: Mutex<HashMap<Uuid, usize>>,
    fail_first: AtomicBool,
    fail_after_commit: AtomicBool,
}

impl Seen {
    fn effects(&self) -> usize {
        self.effects.lock().expect("no test panics with it").values().sum()
    }

    pub(crate) fn deliveries(&self) -> usize {
        self.deliveries.lock().expect("no test panics with it").values().sum()
    }
}

/// One process that consumes.
pub(crate) struct Receiver {
    home: Home,
    seen: Arc<Seen>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

struct Recorder {
    store: Store,
    seen: Arc<Seen>,
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let id = envelope.id;
        let event: VisitOverdue = envelope.open()?;
        let delivered = {
            let mut deliveries = self.seen.deliveries.lock().expect("no test panics with it");
            let count = deliveries.entry(id).or_default();
            *count += 1;
            *count
        };
        if delivered == 1 && self.seen.fail_first.load(Ordering::SeqCst) {
            return Err(HandlerError::retry("on purpose"));
        }
        let first = self
            .store
            .commit::<_, StoreError, _>(move |unit| Box::pin(async move { unit.first_time(CONSUMER.name, id).await }))
            .await?;
        assert_eq!(event.kind, "initial");
        if first {
            *self.seen.effects.lock().expect("no test panics with it").entry(id).or_default() += 1;
        }
        if delivered == 1 && self.seen.fail_after_commit.load(Ordering::SeqCst) {
            return Err(HandlerError::retry("the effect is committed, the ack is lost"));
        }
        Ok(())
    }
}

impl Receiver {
    pub(crate) async fn start(world: &dyn World, seen: &Arc<Seen>) -> Self {
        Self::over(home(Service::Alerting).await, world, seen).await
    }

    pub(crate) async fn over(home: Home, world: &dyn World, seen: &Arc<Seen>) -> Self {
        let handler = Arc::new(Recorder { store: home.store.clone(), seen: seen.clone() });
        let consuming = Consuming { consumer: CONSUMER, handler, store: home.store.clone(), bus: world.bus().await };
        let stop = CancellationToken::new();
        let task = tokio::spawn(consuming.run(stop.clone()));
        Self { home, seen: seen.clone(), stop, task }
    }

    async fn beside(&self, world: &dyn World) -> Self {
        let home = Home { place: self.home.place.clone(), store: self.home.store.clone() };
        Self::over(home, world, &self.seen).await
    }

    pub(crate) async fn saw(&self, effects: usize) {
        eventually("every event had its effect", || async { self.seen.effects() >= effects }).await;
        let each = self.seen.effects.lock().expect("no test panics with it");
        assert!(each.values().all(|count| *count == 1), "an event had its effect twice");
        assert_eq!(each.len(), effects);
    }

    /// Over a home whose store was closed.
    async fn again(home: Home, world: &dyn World, seen: &Arc<Seen>) -> Self {
        let store = home.place.open(Service::Alerting).await;
        Self::over(Home { place: home.place, store }, world, seen).await
    }

    /// Stops consuming, as a process that ends.
    async fn end(self) -> Home {
        let home = self.drain().await;
        home.store.close().await;
        home
    }

    pub(crate) async fn drain(self) -> Home {
        self.stop.cancel();
        self.task.await.expect("the consumer drains");
        self.home
    }
}

pub(crate) async fn events_reach_a_consumer_that_joins_later(world: &dyn World) {
    let sender = Sender::start(world).await;
    sender.send(20).await;
    let receiver = Receiver::start(world, &Arc::default()).await;
    receiver.saw(20).await;
    sender.all_done().await;
    assert_eq!(receiver.seen.deliveries(), 20, "nothing failed, so nothing came twice");
}

pub(crate) async fn competing_consumers_share_the_events(world: &dyn World) {
    let sender = Sender::start(world).await;
    let one = Receiver::start(world, &Arc::default()).await;
    let two = one.beside(world).await;
    sender.send(200).await;
    one.saw(200).await;
    sender.all_done().await;
    assert_eq!(two.seen.deliveries(), 200);
}

pub(crate) async fn replicas_that_join_a_busy_stream_repeat_nothing(world: &dyn World) {
    let sender = Sender::start(world).await;
    let one = Receiver::start(world, &Arc::default()).await;
    let joining = async {
        for _ in 0..10 {
            let other = one.beside(world).await;
            pause(Duration::from_millis(40)).await;
            other.drain().await;
        }
    };
    tokio::join!(sender.send(1_000), joining);
    one.saw(1_000).await;
    sender.all_done().await;
    assert_eq!(one.seen.deliveries(), 1_000);
}

pub(crate) async fn a_failed_event_comes_again_after_its_delay(world: &dyn World) {
    let sender = Sender::start(world).await;
    let seen = Arc::new(Seen { fail_first: true.into(), ..Seen::default() });
    let receiver = Receiver::start(world, &seen).await;
    sender.send(10).await;
    receiver.saw(10).await;
    sender.all_done().await;
    assert_eq!(seen.deliveries(), 20);
}

pub(crate) async fn a_lost_ack_repeats_the_delivery_but_not_the_effect(world: &dyn World) {
    let sender = Sender::start(world).await;
    let seen = Arc::new(Seen { fail_after_commit: true.into(), ..Seen::default() });
    let receiver = Receiver::start(world, &seen).await;
    sender.send(10).await;
    eventually("each came twice", || async { seen.deliveries() == 20 }).await;
    receiver.saw(10).await;
    sender.all_done().await;
}

pub(crate) async fn what_was_not_acked_survives_a_restart_of_everything(world: &dyn World) {
    let sender = Sender::start(world).await;
    sender.send(20).await;
    world.restart().await;
    let sender = sender.restart(world).await;
    let receiver = Receiver::start(world, &Arc::default()).await;
    receiver.saw(20).await;
    sender.all_done().await;
}

pub(crate) async fn a_drained_consumer_finishes_what_it_holds_and_its_successor_goes_on(world: &dyn World) {
    let sender = Sender::start(world).await;
    let seen = Arc::<Seen>::default();
    let receiver = Receiver::start(world, &seen).await;
    sender.send(50).await;
    let home = receiver.drain().await;
    let successor = Receiver::over(home, world, &seen).await;
    sender.send(50).await;
    successor.saw(100).await;
    sender.all_done().await;
}

pub(crate) async fn an_event_that_cannot_be_understood_is_set_aside_and_told(world: &dyn World) {
    let sender = Sender::start(world).await;
    let receiver = Receiver::start(world, &Arc::default()).await;
    let episode = Uuid::from_u128(7);
    let damaged = Envelope {
        id: Uuid::from_u128(8),
        event_type: VisitOverdue::TYPE.to_owned(),
        subject: event::subject(Service::Scheduling, Lane::Live, VisitOverdue::NAME, episode),
        source: "scheduling".to_owned(),
        time: "2026-01-21T09:00:00Z".to_owned(),
        trace_parent: String::new(),
        payload: vec![0xff; 5].into(),
    };
    world.bus().await.publish(&damaged).await.expect("the bus carries bytes, whatever they mean");
    let reader = receiver.home.store.reader();
    eventually("the message was set aside", || async {
        dead_letters::Entity::find().all(reader).await.expect("it can be read").len() == 1
    })
    .await;
    let letter = dead_letters::Entity::find().one(reader).await.expect("it can be read").expect("there is one");
    assert_eq!((letter.payload, letter.consumer.as_str()), (vec![0xff; 5], CONSUMER.name));
    assert_eq!(outbox::count_owed(reader).await.expect("it can be counted"), 1, "an operator is told by an event");
    sender.send(1).await;
    receiver.saw(1).await;
}

pub(crate) async fn lag_counts_what_waits(world: &dyn World) {
    let sender = Sender::start(world).await;
    sender.send(30).await;
    let bus = world.bus().await;
    eventually("thirty events wait", || async { bus.lag(CONSUMER).await == Ok(30) }).await;
    let receiver = Receiver::start(world, &Arc::default()).await;
    receiver.saw(30).await;
    eventually("none waits", || async { bus.lag(CONSUMER).await == Ok(0) }).await;
}

pub(crate) async fn an_event_that_nobody_takes_is_done_at_once(world: &dyn World) {
    let sender = Sender::start(world).await;
    let episode = Uuid::from_u128(9);
    let subject = event::subject(Service::Scheduling, Lane::Live, "visit-due", episode);
    assert!(STREAMS.iter().any(|stream| stream.name == "VISITS") && !CONSUMER.takes(&subject));
    sender
        .home
        .store
        .commit::<_, StoreError, _>(move |unit| {
            Box::pin(async move {
                unit.publish(Lane::Live, episode, &lasegue_contracts::scheduling::VisitDue::default()).await
            })
        })
        .await
        .expect("an event can be written");
    sender.all_done().await;
}

pub(crate) async fn a_reader_restored_from_a_backup_is_given_again_what_it_lacks_then(world: &dyn World) {
    let sender = Sender::start(world).await;
    let receiver = Receiver::start(world, &Arc::default()).await;
    sender.send(10).await;
    receiver.saw(10).await;
    let home = receiver.end().await;
    let backup = home.place.copy(Service::Alerting);
    let receiver = Receiver::again(home, world, &Arc::default()).await;
    sender.send(10).await;
    receiver.saw(10).await;
    sender.all_proved().await;
    let home = receiver.end().await;
    home.place.put_back(Service::Alerting, &backup);
    let receiver = Receiver::again(home, world, &Arc::default()).await;
    receiver.saw(10).await;
    sender.send(1).await;
    receiver.saw(11).await;
    sender.all_proved().await;
}

/// How long a suite may take before it counts as stuck.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
