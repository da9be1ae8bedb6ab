//! What leaves once more, and what must not: only what the server lost, slowly, and by one replica alone.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::join_all;
use lasegue_contracts::topology::{Consumer, Stream};
use lasegue_contracts::{Envelope, Service};
use lasegue_platform::bus::{Bus, BusError, Handled, Holding, Joined, Memory, Message, Proof};
use lasegue_platform::signed::Forged;
use lasegue_platform::store::{Store, StoreError};
use lasegue_testkit::containers::{NATS_NEWEST, Postgres};
use sea_orm::ConnectionTrait;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::conformance::{Sender, World};
use crate::nats::NatsWorld;
use crate::support::{Home, Place, eventually};

/// A server whose clients are counted: how often something was published.
pub(crate) struct Counted {
    pub(crate) world: NatsWorld,
    gate: Arc<Gate>,
}

impl Counted {
    pub(crate) async fn start() -> Self {
        Self { world: NatsWorld::start(NATS_NEWEST).await, gate: Arc::default() }
    }

    pub(crate) fn published(&self) -> usize {
        self.gate.published.load(Ordering::SeqCst)
    }
}

/// What clients pass on their way to the server: it counts, and may be shut.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    published: AtomicUsize,
    left: Mutex<HashSet<Uuid>>,
    /// Whether what left before has to wait.
    shut_again: watch::Sender<bool>,
    /// Whether whoever wants to join has to wait.
    pub(crate) shut_to_readers: watch::Sender<bool>,
}

impl Gate {
    async fn leave(&self, event: Uuid) {
        self.published.fetch_add(1, Ordering::SeqCst);
        if !self.left.lock().expect("no test panics with it").insert(event) {
            open(&self.shut_again).await;
        }
    }
}

async fn open(shut: &watch::Sender<bool>) {
    shut.subscribe().wait_for(|shut| !shut).await.expect("the sender is there");
}

#[async_trait]
impl World for Counted {
    async fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(Gated { bus: self.world.bus().await, gate: self.gate.clone() })
    }

    async fn restart(&self) {
        self.world.restart().await;
    }
}

/// A bus behind a gate.
#[derive(Debug)]
pub(crate) struct Gated {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) gate: Arc<Gate>,
}

#[async_trait]
impl Bus for Gated {
    async fn publish(&self, envelope: &Envelope) -> Result<Option<u64>, BusError> {
        self.gate.leave(envelope.id).await;
        self.bus.publish(envelope).await
    }

    async fn publish_again(&self, envelope: &Envelope, copy: i64) -> Result<Option<u64>, BusError> {
        self.gate.leave(envelope.id).await;
        self.bus.publish_again(envelope, copy).await
    }

    async fn subscribe(&self, consumer: &'static Consumer, last: Option<Handled>) -> Result<Joined, BusError> {
        open(&self.gate.shut_to_readers).await;
        self.bus.subscribe(consumer, last).await
    }

    fn sign(&self, envelope: &Envelope) -> Result<Message, BusError> {
        self.bus.sign(envelope)
    }

    fn verify(&self, consumer: &Consumer, message: &Message) -> Result<(), Forged> {
        self.bus.verify(consumer, message)
    }

    fn is_away(&self, service: Service) -> bool {
        self.bus.is_away(service)
    }

    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError> {
        self.bus.lag(consumer).await
    }

    async fn prove(&self, sender: Service, consumer: &'static Consumer, events: &[Uuid]) -> Result<Proof, BusError> {
        self.bus.prove(sender, consumer, events).await
    }

    async fn answer(
        &self,
        consumer: &'static Consumer,
        memory: Arc<dyn Memory>,
        stop: CancellationToken,
    ) -> Result<(), BusError> {
        self.bus.answer(consumer, memory, stop).await
    }

    fn connected(&self, service: Service) -> Option<watch::Receiver<u64>> {
        self.bus.connected(service)
    }

    async fn holding(
        &self,
        service: Service,
        stream: &'static Stream,
        last: Option<Handled>,
    ) -> Result<Option<Holding>, BusError> {
        self.bus.holding(service, stream, last).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_publishes_nothing_again_that_the_server_still_has() {
    let world = Counted::start().await;
    let sender = Sender::start(&world).await;
    sender.send(300).await;
    sender.all_done().await;
    world.restart().await;
    sender.send(1).await;
    sender.all_done().await;
    let tried = world.published();
    assert!((301..310).contains(&tried), "{tried} tries for 301 events: only the last may need more than one");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_of_one_service_take_the_rows_of_their_outbox_without_meeting() {
    let world = Counted::start().await;
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let store = place.open(Service::Scheduling).await;
    for _ in 0..10 {
        assert!(join_all((0..200).map(|_| crate::store::publish(&store))).await.iter().all(Result::is_ok));
    }
    store.close().await;
    let replicas = join_all((0..3).map(|_| async {
        let store = place.open(Service::Scheduling).await;
        Sender::over(Home { place: place.clone(), store }, &world).await
    }));
    for replica in replicas.await {
        replica.all_done().await;
    }
    assert_eq!(world.published(), 2_000);
}

/// Holds the oldest rows of the outbox, as another replica does within a unit, until it is told to let go.
async fn hold(store: &Store, rows: usize, let_go: CancellationToken) -> JoinHandle<Result<(), StoreError>> {
    let store = store.clone();
    let (holds, held) = oneshot::channel();
    let holding = tokio::spawn(async move {
        let unit = store.commit(move |unit| {
            Box::pin(async move {
                let lock = format!("SELECT id FROM outbox ORDER BY id LIMIT {rows} FOR UPDATE");
                unit.db().execute_unprepared(&lock).await?;
                let _ = holds.send(());
                // The server ends a unit that does nothing.
                while !let_go.is_cancelled() {
                    unit.db().execute_unprepared("SELECT pg_sleep(0.1)").await?;
                }
                Ok(())
            })
        });
        unit.await
    });
    held.await.expect("it holds them");
    holding
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_passes_over_the_rows_that_another_holds_and_waits_for_none_of_them() {
    let world = Counted::start().await;
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let store = place.open(Service::Scheduling).await;
    assert!(join_all((0..200).map(|_| crate::store::publish(&store))).await.iter().all(Result::is_ok));
    let let_go = CancellationToken::new();
    let holding = hold(&store, 100, let_go.clone()).await;
    let store = place.open(Service::Scheduling).await;
    let replica = Sender::over(Home { place, store }, &world).await;
    eventually("the others leave", || async { world.published() >= 100 }).await;
    let_go.cancel();
    holding.await.expect("no panic").expect("it commits");
    replica.all_done().await;
    assert_eq!(world.published(), 200);
}

/// More than there are places on the way out.
const LOST: usize = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_event_does_not_wait_behind_those_that_a_server_lost() {
    let world = Counted::start().await;
    let sender = Sender::start(&world).await;
    sender.send(LOST).await;
    sender.all_done().await;
    world.gate.shut_again.send_replace(true);
    world.world.server.wipe().await;
    eventually("the lost ones are owed again", || async { sender.owes().await == LOST as u64 }).await;
    sender.send(1).await;
    eventually("the new one has left", || async { sender.last_place().await.is_some() }).await;
    assert_eq!(sender.owes().await, LOST as u64, "none of those has left");
    world.gate.shut_again.send_replace(false);
    sender.all_done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_somebody_removes_is_made_anew_while_the_connection_stays() {
    let world = NatsWorld::start(NATS_NEWEST).await;
    let sender = Sender::start(&world).await;
    sender.send(3).await;
    sender.all_done().await;
    let client = async_nats::connect(world.server.url()).await.expect("the server is up");
    let jetstream = async_nats::jetstream::new(client);
    let schedule = Stream::published_by(Service::Scheduling).next().expect("it publishes");
    jetstream.delete_stream(schedule.name).await.expect("it is there");
    eventually("it is there again, with what nobody has read", || async {
        let found = jetstream.get_stream(schedule.name).await;
        found.is_ok_and(|stream| stream.cached_info().state.messages >= 3)
    })
    .await;
    sender.send(1).await;
    sender.all_done().await;
}
