//! Commits: whole or not at all, side by side, and stamped alike.

use std::sync::Arc;

use futures_util::future::join_all;
use lasegue_contracts::Service;
use lasegue_contracts::event::{Lane, MAX_BYTES};
use lasegue_contracts::scheduling::VisitDue;
use lasegue_platform::bus::EmbeddedBus;
use lasegue_platform::consume::HandlerError;
use lasegue_platform::store::{Migrations, Store, StoreError, outbox, relay, retry_conflicts};
use sea_orm::{ConnectionTrait, Statement};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{Place, eventually};

#[derive(Debug)]
enum Refusal {
    Business,
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(crate) async fn publish(store: &Store) -> Result<(), StoreError> {
    store
        .commit(|unit| Box::pin(async move { unit.publish(Lane::Live, Uuid::nil(), &VisitDue::default()).await }))
        .await
}

pub(crate) async fn owed(store: &Store) -> u64 {
    outbox::count_owed(store.reader()).await.expect("the outbox can be counted")
}

pub(crate) async fn units_side_by_side_all_commit(place: Place) {
    let store = place.open(Service::Intake).await;
    let results = join_all((0..500).map(|_| publish(&store))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(owed(&store).await, 500);
}

pub(crate) async fn an_event_that_no_bus_takes_is_refused_in_the_commit_that_makes_it(place: Place) {
    let store = place.open(Service::Intake).await;
    let publish = |bytes: usize| {
        let event = VisitDue { kind: "x".repeat(bytes), ..VisitDue::default() };
        store.commit(|unit| Box::pin(async move { unit.publish(Lane::Live, Uuid::nil(), &event).await }))
    };
    publish(MAX_BYTES - 8).await.expect("it fits");
    let refusal: StoreError = publish(MAX_BYTES).await.expect_err("it is too large");
    assert!(matches!(refusal, StoreError::EventTooLarge { event: "visit-due", .. }), "{refusal}");
    assert!(matches!(HandlerError::from(refusal), HandlerError::GiveUp(_)), "no further try mends it");
    assert_eq!(owed(&store).await, 1);
}

pub(crate) async fn a_refused_unit_leaves_nothing_and_spoils_no_neighbour(place: Place) {
    let store = place.open(Service::Intake).await;
    let refused = store.commit::<(), _, _>(|unit| {
        Box::pin(async move {
            unit.publish(Lane::Live, Uuid::nil(), &VisitDue::default()).await?;
            Err(Refusal::Business)
        })
    });
    let (refused, good) = tokio::join!(refused, publish(&store));
    assert!(matches!(refused, Err(Refusal::Business)));
    good.expect("the neighbour commits");
    assert_eq!(owed(&store).await, 1);
}

pub(crate) async fn a_panicking_unit_is_rolled_back_and_the_writer_goes_on(place: Place) {
    let store = place.open(Service::Intake).await;
    let panicked = store
        .commit::<(), Refusal, _>(|unit| {
            Box::pin(async move {
                unit.publish(Lane::Live, Uuid::nil(), &VisitDue::default()).await?;
                panic!("on purpose")
            })
        })
        .await;
    assert!(matches!(panicked, Err(Refusal::Store(StoreError::Panicked))));
    publish(&store).await.expect("the writer goes on");
    assert_eq!(owed(&store).await, 1);
}

pub(crate) async fn what_was_committed_is_there_after_reopening(place: Place) {
    let store = place.open(Service::Intake).await;
    publish(&store).await.expect("it commits");
    store.close().await;
    assert!(matches!(publish(&store).await, Err(StoreError::Closed)));
    assert_eq!(owed(&place.open(Service::Intake).await).await, 1);
}

pub(crate) async fn what_was_committed_before_the_clock_was_set_back_is_published(place: Place) {
    let opened = place.open_at("2026-01-21T10:00:00Z").await.1;
    publish(&opened).await.expect("it commits");
    opened.close().await;
    let (clock, store) = place.open_at("2026-01-21T09:00:00Z").await;
    let stop = CancellationToken::new();
    let relay = tokio::spawn(relay(store.clone(), Arc::new(EmbeddedBus::new(clock)), stop.clone()));
    eventually("nothing is owed", || async { owed(&store).await == 0 }).await;
    stop.cancel();
    relay.await.expect("the relay drains");
}

pub(crate) async fn an_event_is_handled_once_by_each_consumer(place: Place) {
    let store = place.open(Service::Intake).await;
    let mut first = Vec::new();
    for (consumer, event) in [("a", 1), ("a", 1), ("b", 1), ("a", 2)] {
        let fresh = store
            .commit(move |unit| Box::pin(async move { unit.first_time(consumer, Uuid::from_u128(event)).await }))
            .await;
        first.push(fresh.expect("the inbox answers"));
    }
    assert_eq!(first, [true, false, true, true]);
}

pub(crate) async fn conflicting_changes_are_tried_again_until_each_has_counted(place: Place) {
    let store = &place.open(Service::Intake).await;
    let run = |sql: String| async move {
        store
            .commit::<u64, StoreError, _>(move |unit| {
                Box::pin(async move { Ok(unit.db().execute_unprepared(&sql).await?.rows_affected()) })
            })
            .await
    };
    run("CREATE TABLE counter (revision BIGINT)".to_owned()).await.expect("a table can be made");
    run("INSERT INTO counter VALUES (0)".to_owned()).await.expect("a row can be made");
    let bump = || {
        retry_conflicts(move || async move {
            let read = revision(store).await;
            let sql = format!("UPDATE counter SET revision = {} WHERE revision = {read}", read + 1);
            match run(sql).await? {
                1 => Ok(()),
                _ => Err(StoreError::Conflict),
            }
        })
    };
    assert!(join_all((0..20).map(|_| bump())).await.iter().all(Result::is_ok));
    assert_eq!(revision(store).await, 20);
}

async fn revision(store: &Store) -> i64 {
    let statement = Statement::from_string(store.reader().get_database_backend(), "SELECT revision FROM counter");
    let row = store.reader().query_one_raw(statement).await.expect("it can be read").expect("there is a row");
    row.try_get_by_index(0).expect("it is a number")
}

pub(crate) async fn pending_migrations_are_refused_with_the_command_that_applies_them(place: Place) {
    let opened = place.try_open(Service::Intake, false).await;
    let error = opened.expect_err("nothing was migrated");
    assert_eq!(error.to_string(), "the intake database has 11 pending migrations: run `lasegue migrate` first");
}

pub(crate) async fn a_database_is_brought_up_to_date_once_and_then_opens(place: Place) {
    for lacked in [11, 0] {
        let migrated = Store::migrate(Service::Intake, &place.location(Service::Intake), Migrations::NONE).await;
        assert_eq!(migrated.expect("an empty place takes a new database"), lacked);
    }
    place.try_open(Service::Intake, false).await.expect("nothing is pending");
}
