//! The second way: what NATS does not take reaches its reader all the same, over HTTP, once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lasegue_contracts::Service;
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::scheduling::VisitOverdue;
use lasegue_contracts::topology::ALERTING_VISITS;
use lasegue_contracts::{Envelope, Event};
use lasegue_platform::bus::{Bus, NatsBus};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::direct::{HandOverError, Peers, TwoWays};
use lasegue_platform::store::{Store, outbox};
use lasegue_testkit::containers::{NATS_NEWEST, Nats};
use lasegue_testkit::keys::event_keys;
use lasegue_testkit::wait::pause;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::conformance::{Receiver, Seen, Sender, World};
use crate::nats::NatsWorld;
use crate::replays::{Gate, Gated};
use crate::support::eventually;

const SERVICES: [Service; 2] = [Service::Scheduling, Service::Alerting];

/// NATS, and processes of which the first takes in what is handed to alerting.
struct Direct {
    nats: NatsWorld,
    gate: Arc<Gate>,
    alerting: Mutex<Option<u16>>,
}

impl Direct {
    fn over(nats: NatsWorld) -> Self {
        Self { nats, gate: Arc::default(), alerting: Mutex::default() }
    }

    async fn start() -> Self {
        Self::over(NatsWorld::start(NATS_NEWEST).await)
    }

    fn peers(&self, secret: &str) -> Peers {
        let peers = Peers::new(SystemClock::shared());
        let peers = peers.sharing(Service::Scheduling, Service::Alerting, secret.into());
        match *self.alerting.lock().expect("no test panics with it") {
            Some(port) => peers.at(Service::Alerting, format!("http://127.0.0.1:{port}/").parse().expect("an address")),
            None => peers,
        }
    }
}

#[async_trait]
impl World for Direct {
    async fn bus(&self) -> Arc<dyn Bus> {
        let (config, clock) = (self.nats.config.clone(), SystemClock::shared());
        let queue = NatsBus::connect_later(config, &SERVICES, &clock).await.expect("the address is one");
        let queue = Gated { bus: Arc::new(queue), gate: self.gate.clone() };
        let ways = TwoWays::new(Arc::new(queue), self.peers("pair"), clock);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        self.alerting.lock().expect("no test panics with it").get_or_insert(port);
        let server = ways.server().into_router();
        tokio::spawn(async move { axum::serve(listener, server).await });
        Arc::new(ways)
    }

    async fn restart(&self) {
        self.nats.restart().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_what_is_live_reaches_its_reader_and_has_its_effect_once() {
    let world = Direct::start().await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    let sender = Sender::start(&world).await;
    sender.send(20).await;
    receiver.saw(20).await;
    world.nats.server.die().await;
    sender.send(20).await;
    receiver.saw(40).await;
    world.nats.server.come_back().await;
    sender.send(5).await;
    sender.all_done().await;
    receiver.saw(45).await;
}

/// What its reader has, but the bus has not.
const HANDED: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_over_leaves_behind_everything_new_once_nats_is_back() {
    let (world, seen) = (Direct::start().await, Arc::<Seen>::default());
    let receiver = Receiver::start(&world, &seen).await;
    let sender = Sender::start(&world).await;
    sender.send(1).await;
    receiver.saw(1).await;
    sender.all_proved().await;
    world.nats.server.die().await;
    sender.send(HANDED).await;
    receiver.saw(1 + HANDED).await;
    eventually("it is noted that all were handed over", || async { handed(sender.store()).await == HANDED as u64 })
        .await;
    // A publish of before would be given up by now, and tried again once and again.
    pause(Duration::from_secs(8)).await;
    let before = seen.deliveries();
    world.nats.server.come_back().await;
    eventually("the bus takes events again", || async { sender.owes().await < HANDED as u64 }).await;
    sender.send(1).await;
    receiver.saw(2 + HANDED).await;
    let repeated = seen.deliveries() - before - 1;
    assert!(repeated < HANDED / 2, "{repeated} of {HANDED} events that the reader had came before the new one");
    sender.all_done().await;
    receiver.saw(2 + HANDED).await;
}

/// How many events of `store` its reader has, and the bus has not.
async fn handed(store: &Store) -> u64 {
    let handed = outbox::Entity::find().filter(outbox::Column::HandedAt.is_not_null());
    let handed = handed.filter(outbox::Column::PublishedAt.is_null());
    handed.count(store.reader()).await.expect("it can be counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_starts_while_nats_is_away_takes_what_is_handed_over_and_goes_on_with_nats() {
    let world = Direct::start().await;
    world.nats.server.die().await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    let sender = Sender::start(&world).await;
    sender.send(20).await;
    receiver.saw(20).await;
    world.nats.server.come_back().await;
    sender.all_done().await;
    let late = world.bus().await;
    late.publish(&overdue(900)).await.expect("NATS is back");
    receiver.saw(21).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_without_end_to_join_the_queue_takes_what_is_handed_over_meanwhile() {
    let world = Direct::start().await;
    world.gate.shut_to_readers.send_replace(true);
    world.nats.server.die().await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    let sender = Sender::start(&world).await;
    sender.send(20).await;
    receiver.saw(20).await;
    world.nats.server.come_back().await;
    world.gate.shut_to_readers.send_replace(false);
    sender.send(5).await;
    receiver.saw(25).await;
    sender.all_done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nats_took_with_it_before_its_reader_had_it_is_handed_over() {
    let world = Direct::start().await;
    let sender = Sender::start(&world).await;
    sender.send(20).await;
    sender.all_done().await;
    world.nats.server.die().await;
    let home = sender.end().await;
    *world.alerting.lock().expect("no test panics with it") = None;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    let sender = Sender::over(home.again(Service::Scheduling).await, &world).await;
    receiver.saw(20).await;
    world.nats.server.come_back().await;
    sender.all_done().await;
    receiver.saw(20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_disk_keeps_nats_from_taking_is_handed_over() {
    lasegue_platform::tls::install();
    let server = Nats::cramped(NATS_NEWEST).await;
    let config = lasegue_platform::bus::NatsConfig {
        max_stream_bytes: server.stream_bytes(),
        ..lasegue_platform::bus::NatsConfig::single(server.url(), event_keys())
    };
    let world = Direct::over(NatsWorld { server, config });
    let receiver = Receiver::start(&world, &Arc::default()).await;
    let sender = Sender::start(&world).await;
    sender.send(20).await;
    receiver.saw(20).await;
    world.nats.server.fill().await;
    sender.send(200).await;
    receiver.saw(220).await;
}

fn overdue(number: u128) -> Envelope {
    let (id, episode) = (Uuid::from_u128(number), Uuid::from_u128(number));
    let event = VisitOverdue { episode_id: episode.to_string(), revision: 1, kind: "initial".to_owned(), at: None };
    Envelope {
        id,
        event_type: VisitOverdue::TYPE.to_owned(),
        subject: event::subject(Service::Scheduling, Lane::Live, VisitOverdue::NAME, episode),
        source: Service::Scheduling.name().to_owned(),
        time: "2026-01-21T09:00:00Z".to_owned(),
        trace_parent: String::new(),
        payload: prost_bytes(&event),
    }
}

fn prost_bytes(event: &VisitOverdue) -> bytes::Bytes {
    prost::Message::encode_to_vec(event).into()
}

async fn hand(world: &Direct, secret: &str, envelope: &Envelope) -> Result<(), HandOverError> {
    let (config, clock) = (world.nats.config.clone(), SystemClock::shared());
    let queue = NatsBus::connect_later(config, &SERVICES, &clock).await.expect("the address is one");
    let ways = TwoWays::new(Arc::new(queue), world.peers(secret), clock);
    ways.hand_over(&ALERTING_VISITS, envelope).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_prove_a_name_hands_nothing_over_and_is_not_believed_either() {
    let world = Direct::start().await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    eventually("the reader takes what is handed over", || async { hand(&world, "pair", &overdue(1)).await.is_ok() })
        .await;
    receiver.saw(1).await;
    let stranger = HandOverError::Stranger { service: Service::Alerting };
    assert_eq!(hand(&world, "another", &overdue(2)).await, Err(stranger), "neither believes the other");
    let forged = Envelope { source: Service::Alerting.name().to_owned(), ..overdue(3) };
    assert!(hand(&world, "pair", &forged).await.is_err(), "scheduling cannot send in alerting's name");
    receiver.saw(1).await;
}
