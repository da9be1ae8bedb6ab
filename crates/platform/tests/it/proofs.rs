//! A row is kept until its reader has handled it for good, and then as long as a backup of that reader may be restored.

use std::sync::Arc;
use std::time::Duration;

use lasegue_contracts::Service;
use lasegue_contracts::assessment::RedFlagRaised;
use lasegue_contracts::event::Lane;
use lasegue_platform::bus::EmbeddedBus;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::store::{Store, StoreError, outbox, relay};
use lasegue_testkit::containers::NATS_NEWEST;
use lasegue_testkit::wait::pause;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::conformance::{Receiver, Sender, World};
use crate::nats::NatsWorld;
use crate::replays::Counted;
use crate::support::{Place, eventually, home};

async fn run(store: &Store, sql: impl Into<String>) {
    let sql = sql.into();
    let run = store.commit::<_, StoreError, _>(move |unit| {
        Box::pin(async move { Ok(unit.db().execute_unprepared(&sql).await.map(drop)?) })
    });
    run.await.expect("the statement is one");
}

async fn rows(store: &Store) -> u64 {
    outbox::Entity::find().count(store.reader()).await.expect("they can be counted")
}

#[tokio::test]
async fn what_no_reader_has_handled_is_kept_however_old_it_is() {
    let place = Place::sqlite();
    let store = place.open(Service::Scheduling).await;
    for _ in 0..4 {
        crate::store::publish(&store).await.expect("it commits");
    }
    run(&store, "UPDATE outbox SET published_at = '2020-01-01 00:00:00+00:00'").await;
    run(&store, "UPDATE outbox SET subject = 'lasegue.scheduling.v1.visit-overdue.x' WHERE id <= 2").await;
    run(&store, "UPDATE outbox SET proved_at = published_at WHERE id > 2").await;
    let stop = CancellationToken::new();
    let relay = tokio::spawn(relay(store.clone(), Arc::new(EmbeddedBus::new(SystemClock::shared())), stop.clone()));
    eventually("what was handled long ago is gone", || async { rows(&store).await == 2 }).await;
    pause(Duration::from_secs(2)).await;
    assert_eq!(rows(&store).await, 2);
    stop.cancel();
    relay.await.expect("the relay drains");
}

#[tokio::test]
async fn what_was_handled_is_kept_as_long_as_a_backup_may_be_restored() {
    let place = Place::sqlite();
    let store = place.open(Service::Scheduling).await;
    store.restorable_for(Duration::from_hours(24 * 3));
    for _ in 0..2 {
        crate::store::publish(&store).await.expect("it commits");
    }
    let days_ago = |days: u8, row: u8| {
        format!(
            "UPDATE outbox SET published_at = strftime('%Y-%m-%d %H:%M:%S+00:00', 'now', '-{days} days'), \
             proved_at = strftime('%Y-%m-%d %H:%M:%S+00:00', 'now', '-{days} days') WHERE id = {row}"
        )
    };
    run(&store, days_ago(2, 1)).await;
    run(&store, days_ago(4, 2)).await;
    let stop = CancellationToken::new();
    let relay = tokio::spawn(relay(store.clone(), Arc::new(EmbeddedBus::new(SystemClock::shared())), stop.clone()));
    eventually("the older one is gone", || async { rows(&store).await == 1 }).await;
    pause(Duration::from_secs(2)).await;
    assert_eq!(rows(&store).await, 1);
    stop.cancel();
    relay.await.expect("the relay drains");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_everything_is_not_given_again_what_was_handled() {
    let world = Counted::start().await;
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    sender.send(100).await;
    receiver.saw(100).await;
    sender.all_proved().await;
    world.world.server.wipe().await;
    sender.send(1).await;
    receiver.saw(101).await;
    sender.all_proved().await;
    let tried = world.published();
    assert!(tried < 110, "{tried} tries for 101 events");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stream_let_go_unread_is_published_again() {
    let world = NatsWorld::start(NATS_NEWEST).await;
    let sender = Sender::start(&world).await;
    sender.send(20).await;
    sender.all_done().await;
    let client = async_nats::connect(world.server.url()).await.expect("the server is up");
    let stream = async_nats::jetstream::new(client).get_stream("VISITS").await.expect("the stream is there");
    stream.purge().await.expect("there are no permissions");
    let receiver = Receiver::start(&world, &Arc::default()).await;
    receiver.saw(20).await;
    sender.all_proved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_flag_whose_reader_is_away_is_published_once() {
    let world = Counted::start().await;
    let home = home(Service::Assessment).await;
    let (stop, bus) = (CancellationToken::new(), world.bus().await);
    let relay = tokio::spawn(relay(home.store.clone(), bus, stop.clone()));
    let publish = home.store.commit::<_, StoreError, _>(|unit| {
        Box::pin(async move { unit.publish(Lane::Live, Uuid::nil(), &RedFlagRaised::default()).await })
    });
    publish.await.expect("it commits");
    pause(Duration::from_secs(14)).await;
    assert_eq!(world.published(), 1);
    assert_eq!(rows(&home.store).await, 1);
    stop.cancel();
    relay.await.expect("the relay drains");
}
