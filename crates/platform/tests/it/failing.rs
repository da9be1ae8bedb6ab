//! What goes on failing is told of, stops nobody else, and is tried again until it goes well or an operator gives it up.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::platform::MessageDeadLettered;
use lasegue_contracts::scheduling::VisitOverdue;
use lasegue_contracts::topology::ALERTING_VISITS;
use lasegue_contracts::{Envelope, Event, Service};
use lasegue_platform::bus::{Bus, EmbeddedBus};
use lasegue_platform::consume::{Consuming, Handler, HandlerError};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::dead_letters::{self, State};
use lasegue_platform::store::timers::{self, OnTimer, Timer};
use lasegue_platform::store::{Migrations, Store, StoreError, outbox};
use lasegue_testkit::clock::ManualClock;
use sea_orm::EntityTrait;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::support::{Place, eventually};

/// How far the clock moves while a test waits.
const NUDGE: Duration = Duration::from_secs(5);
const BAD: Uuid = Uuid::from_u128(7);

/// Panics at one episode's events as long as it is broken.
#[derive(Default)]
struct Broken {
    mended: AtomicBool,
    tries: AtomicUsize,
    handled: Mutex<Vec<Uuid>>,
}

impl Broken {
    /// Moves the clock until the bad one was tried so often.
    async fn is_tried(&self, tries: usize, clock: &ManualClock) {
        eventually("it is tried", || async {
            clock.advance(NUDGE);
            self.tries.load(Ordering::SeqCst) >= tries
        })
        .await;
    }

    fn handled(&self) -> Vec<Uuid> {
        self.handled.lock().expect("no test panics with it").clone()
    }
}

#[async_trait]
impl Handler for Broken {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        if envelope.id == BAD && !self.mended.load(Ordering::SeqCst) {
            self.tries.fetch_add(1, Ordering::SeqCst);
            panic!("on purpose");
        }
        self.handled.lock().expect("no test panics with it").push(envelope.id);
        Ok(())
    }
}

/// Alerting's store in a place, under a clock that stands still.
pub(crate) async fn open(place: &Place) -> (ManualClock, Store) {
    let clock = ManualClock::at_text("2026-01-21T09:00:00Z");
    let location = place.location(Service::Alerting);
    let shared = Arc::new(clock.clone());
    let opening = Store::open(Service::Alerting, &location, Migrations::NONE, true, shared, SystemRandom::shared());
    let store = clock.going_on(opening).await;
    (clock, store.expect("an empty place takes a new database"))
}

pub(crate) fn overdue(id: Uuid) -> Envelope {
    Envelope {
        id,
        event_type: VisitOverdue::TYPE.to_owned(),
        subject: event::subject(Service::Scheduling, Lane::Live, VisitOverdue::NAME, id),
        source: "scheduling".to_owned(),
        time: "2026-01-21T09:00:00Z".to_owned(),
        trace_parent: String::new(),
        payload: Vec::new().into(),
    }
}

pub(crate) fn send(bus: &EmbeddedBus, id: Uuid) {
    let bus = bus.clone();
    tokio::spawn(async move { bus.publish(&overdue(id)).await });
}

async fn letters(store: &Store) -> Vec<dead_letters::Model> {
    dead_letters::Entity::find().all(store.reader()).await.expect("readable")
}

async fn told(store: &Store) -> Vec<MessageDeadLettered> {
    events(store).await
}

async fn events<E: Event>(store: &Store) -> Vec<E> {
    let rows = outbox::Entity::find().all(store.reader()).await.expect("readable");
    rows.iter().map(|row| E::decode(&*row.payload).expect("an event")).collect()
}

pub(crate) async fn an_event_that_goes_on_failing_is_told_of_once_and_its_neighbours_go_on(place: Place) {
    let (clock, store) = open(&place).await;
    let bus = EmbeddedBus::new(Arc::new(clock.clone()));
    let (broken, stop) = (Arc::new(Broken::default()), CancellationToken::new());
    let (handler, over): (Arc<dyn Handler>, Arc<dyn Bus>) = (broken.clone(), Arc::new(bus.clone()));
    let consuming = Consuming { consumer: &ALERTING_VISITS, handler, store: store.clone(), bus: over };
    let running = tokio::spawn(consuming.run(stop.clone()));
    send(&bus, BAD);
    for tries in 1..=20 {
        broken.is_tried(tries, &clock).await;
        let neighbour = Uuid::from_u128(100 + tries as u128);
        send(&bus, neighbour);
        eventually("its neighbours go on", || async { broken.handled().contains(&neighbour) }).await;
        let told = told(&store).await;
        assert!(told.is_empty() || broken.tries.load(Ordering::SeqCst) >= 13, "it may pass");
    }
    let letter = letters(&store).await.remove(0);
    assert_eq!((letter.state, letter.event_id()), (State::Failing, BAD.to_string().as_str()));
    let told = told(&store).await;
    assert_eq!(told.len(), 1, "it is told of once");
    assert_eq!((told[0].tries, &told[0].dead_letter_id), (13, &letter.id.to_string()));
    assert_eq!((&told[0].event_id, &told[0].episode_id), (&BAD.to_string(), &BAD.to_string()));
    broken.mended.store(true, Ordering::SeqCst);
    eventually("it goes well after all", || async {
        clock.advance(NUDGE);
        letters(&store).await[0].state == State::Handled
    })
    .await;
    assert!(broken.handled().contains(&BAD));
    stop.cancel();
    running.await.expect("a panicking handler ends nothing");
}

/// Handles a timer's key as an event's id.
struct BrokenTimers {
    store: Store,
    broken: Arc<Broken>,
}

#[async_trait]
impl OnTimer for BrokenTimers {
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError> {
        let id: Uuid = timer.key.parse().map_err(HandlerError::give_up)?;
        self.broken.handle(&overdue(id)).await?;
        let timer = timer.clone();
        let claimed = self
            .store
            .commit::<_, StoreError, _>(move |unit| Box::pin(async move { unit.claim_timer(&timer).await.map(drop) }));
        Ok(claimed.await?)
    }
}

/// Fires the timers of `store`, of which the bad one fails.
pub(crate) struct Firing {
    store: Store,
    clock: ManualClock,
    broken: Arc<Broken>,
    _stop: DropGuard,
}

impl Firing {
    pub(crate) fn start(store: &Store, clock: &ManualClock) -> Self {
        let (store, broken, stop) = (store.clone(), Arc::new(Broken::default()), CancellationToken::new());
        let on_timer = Arc::new(BrokenTimers { store: store.clone(), broken: broken.clone() });
        tokio::spawn(timers::run(store.clone(), on_timer, stop.clone()));
        Self { store, clock: clock.clone(), broken, _stop: stop.drop_guard() }
    }

    /// Sets the bad one, and lets it fail until it is told of.
    pub(crate) async fn fails(&self) {
        let before = self.tries();
        set(&self.store, BAD).await;
        self.broken.is_tried(before + 121, &self.clock).await;
    }

    pub(crate) fn tries(&self) -> usize {
        self.broken.tries.load(Ordering::SeqCst)
    }

    /// Another timer is set and fires, after time enough for the bad one to be tried again.
    pub(crate) async fn goes_on(&self, other: u128) {
        let other = Uuid::from_u128(other);
        self.clock.advance(NUDGE);
        set(&self.store, other).await;
        eventually("it fires", || async { self.broken.handled().contains(&other) }).await;
    }
}

async fn set(store: &Store, id: Uuid) {
    let set = store.commit::<_, StoreError, _>(move |unit| {
        Box::pin(async move {
            let now = unit.now();
            unit.set_timer("test", &id.to_string(), now).await
        })
    });
    set.await.expect("a timer can be set");
}

pub(crate) async fn a_panic_in_a_timers_work_ends_neither_the_process_nor_its_neighbours_and_is_told_of(place: Place) {
    let (clock, store) = open(&place).await;
    let (broken, stop) = (Arc::new(Broken::default()), CancellationToken::new());
    let on_timer = Arc::new(BrokenTimers { store: store.clone(), broken: broken.clone() });
    let running = tokio::spawn(timers::run(store.clone(), on_timer, stop.clone()));
    set(&store, BAD).await;
    for tries in 1..=130 {
        broken.is_tried(tries, &clock).await;
    }
    let neighbour = Uuid::from_u128(8);
    set(&store, neighbour).await;
    eventually("its neighbour fires", || async { broken.handled().contains(&neighbour) }).await;
    let told = told(&store).await;
    assert_eq!(told.len(), 1, "it is told of once");
    assert_eq!(told[0].subject, format!("timer.test.{BAD}"));
    assert_eq!((told[0].tries, told[0].consumer.as_str()), (120, "alerting-timers"));
    broken.mended.store(true, Ordering::SeqCst);
    eventually("it goes well after all", || async {
        clock.advance(NUDGE);
        letters(&store).await[0].state == State::Handled
    })
    .await;
    stop.cancel();
    running.await.expect("a panicking timer ends nothing");
}
