//! An event that the bus never takes as it is set up: an operator is told at once, and what is behind it goes on.

use std::collections::BTreeMap;

use lasegue_contracts::event::Lane;
use lasegue_contracts::platform::MessageDeadLettered;
use lasegue_contracts::scheduling::VisitDue;
use lasegue_contracts::{Event, Service};
use lasegue_platform::bus::NatsConfig;
use lasegue_platform::store::{self, Store, StoreError, dead_letters, outbox};
use lasegue_platform::tls;
use lasegue_testkit::containers::{NATS_NEWEST, Nats};
use lasegue_testkit::keys::event_keys;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::conformance::World;
use crate::nats::NatsWorld;
use crate::support::{eventually, home};

const PASSWORD: &str = "for-tests-only";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_larger_than_the_server_allows_is_told_of_and_holds_up_no_other() {
    let server = start("max_payload: 65536").await;
    is_told_of(NatsWorld {
        config: NatsConfig { max_stream_bytes: 64 << 20, ..NatsConfig::single(server.url(), event_keys()) },
        server,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_its_sender_has_no_right_to_send_is_told_of_and_holds_up_no_other() {
    let denied = format!("lasegue.scheduling.v1.visit-due.{}", Uuid::from_u128(1));
    let user = |name: &str, deny: &str| {
        format!("{{ user: {name}, password: \"{PASSWORD}\", permissions: {{ publish: {{ deny: [\"{deny}\"] }} }} }}")
    };
    let users: Vec<_> = Service::ALL.iter().map(|service| user(service.name(), &denied)).collect();
    let server = start(&format!("authorization {{ users = [{}] }}", users.join(", "))).await;
    let passwords: BTreeMap<_, _> = Service::ALL.map(|service| (service, PASSWORD.into())).into();
    let config = NatsConfig { max_stream_bytes: 64 << 20, passwords, ..NatsConfig::single(server.url(), event_keys()) };
    is_told_of(NatsWorld { server, config }).await;
}

async fn start(config: &str) -> Nats {
    tls::install();
    Nats::configured(NATS_NEWEST, config).await
}

async fn publish(store: &Store, episode: u128, bytes: usize) {
    let publishing = store.commit::<_, StoreError, _>(move |unit| {
        let event = VisitDue { kind: "x".repeat(bytes), ..VisitDue::default() };
        Box::pin(async move { unit.publish(Lane::Live, Uuid::from_u128(episode), &event).await })
    });
    publishing.await.expect("it commits");
}

/// The first event is refused, whatever the reason; 20 behind it leave.
async fn is_told_of(world: NatsWorld) {
    let home = home(Service::Scheduling).await;
    publish(&home.store, 1, 100_000).await;
    for _ in 0..20 {
        publish(&home.store, 2, 1).await;
    }
    let stop = CancellationToken::new();
    let relay = tokio::spawn(store::relay(home.store.clone(), world.bus().await, stop.clone()));
    let db = home.store.reader();
    let told = outbox::Entity::find()
        .filter(outbox::Column::EventType.eq(MessageDeadLettered::TYPE))
        .filter(outbox::Column::PublishedAt.is_not_null());
    eventually("an operator is told", || async { told.clone().count(db).await.expect("a number") == 1 }).await;
    eventually("what is behind it leaves", || async { outbox::count_owed(db).await.expect("a number") == 1 }).await;
    let letters = dead_letters::Entity::find().all(db).await.expect("they can be read");
    let [letter] = &letters[..] else { panic!("{} letters", letters.len()) };
    assert_eq!((letter.consumer.as_str(), letter.payload.len() > 100_000), ("outbox", true));
    stop.cancel();
    relay.await.expect("the relay drains");
}
