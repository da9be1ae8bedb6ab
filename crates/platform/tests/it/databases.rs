//! The store and timer suites on both databases, and what holds on one of them only.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lasegue_contracts::Service;
use lasegue_platform::store::StoreError;
use lasegue_testkit::containers::Postgres;
use lasegue_testkit::wait::pause;
use sea_orm::ConnectionTrait;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::support::{Place, eventually};
use crate::{store, timers};

const EVENT: Uuid = Uuid::from_u128(1);

macro_rules! suite {
    ($($module:ident::$check:ident)*) => {
        mod sqlite {
            use super::*;

            $(#[tokio::test]
            async fn $check() {
                $module::$check(Place::sqlite()).await;
            })*
        }

        /// One server for the whole suite, since it takes longer to start than to answer.
        #[tokio::test(flavor = "multi_thread")]
        async fn the_same_holds_on_postgres() {
            let server = Arc::new(Postgres::start().await);
            $(
                eprintln!("{}", stringify!($module::$check));
                $module::$check(Place::postgres(&server).await).await;
            )*
        }
    };
}

suite! {
    store::units_side_by_side_all_commit
    store::a_refused_unit_leaves_nothing_and_spoils_no_neighbour
    store::a_panicking_unit_is_rolled_back_and_the_writer_goes_on
    store::what_was_committed_is_there_after_reopening
    store::what_was_committed_before_the_clock_was_set_back_is_published
    store::an_event_is_handled_once_by_each_consumer
    store::conflicting_changes_are_tried_again_until_each_has_counted
    store::pending_migrations_are_refused_with_the_command_that_applies_them
    store::a_database_is_brought_up_to_date_once_and_then_opens
    timers::a_timer_fires_once_when_due_even_with_two_replicas
    timers::a_timer_whose_work_fails_is_tried_again_and_delays_no_other
    timers::a_timer_outlives_the_process
    timers::a_cancelled_or_moved_timer_does_not_fire_at_its_old_time
}

#[tokio::test]
async fn readers_of_a_sqlite_file_cannot_write() {
    let store = Place::sqlite().open(Service::Intake).await;
    assert!(store.reader().execute_unprepared("DELETE FROM outbox").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_may_bring_a_postgres_database_up_to_date_at_once() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    for opened in join_all((0..4).map(|_| place.try_open(Service::Intake, true))).await {
        store::publish(&opened.expect("each waits for the others")).await.expect("the tables are there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_keeps_what_was_committed_and_the_store_goes_on_when_it_is_back() {
    let server = Arc::new(Postgres::start().await);
    let store = Place::postgres(&server).await.open(Service::Intake).await;
    store::publish(&store).await.expect("it commits");
    server.restart().await;
    eventually("it commits again", || async { store::publish(&store).await.is_ok() }).await;
    assert!(store::owed(&store).await >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_hangs_in_the_middle_of_a_unit_blocks_no_other_for_long() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let (hanging, other) = (place.open(Service::Intake).await, place.open(Service::Intake).await);
    let (begun, has_begun) = oneshot::channel();
    let hung = tokio::spawn(async move {
        let unit = hanging.commit::<_, StoreError, _>(move |unit| {
            Box::pin(async move {
                unit.first_time("a", EVENT).await?;
                let _ = begun.send(());
                pause(Duration::from_mins(1)).await;
                unit.first_time("a", Uuid::from_u128(2)).await
            })
        });
        unit.await
    });
    has_begun.await.expect("the unit begins");
    let handled = other.commit::<_, StoreError, _>(|unit| Box::pin(unit.first_time("a", EVENT)));
    assert!(handled.await.expect("it waits for the hanging unit to be given up"));
    assert!(!hung.is_finished(), "the unit hangs still");
    hung.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_sees_nothing_of_another_services_schema() {
    let server = Arc::new(Postgres::start().await);
    let place = Place::postgres(&server).await;
    place.open(Service::Assessment).await;
    let intake = place.open(Service::Intake).await;
    for forbidden in [
        "SELECT * FROM assessment.outbox",
        "DELETE FROM assessment.outbox",
        "CREATE TABLE assessment.mine (id BIGINT)",
        "CREATE TABLE public.mine (id BIGINT)",
        "SET ROLE assessment",
    ] {
        let refusal = intake.reader().execute_unprepared(forbidden).await.expect_err(forbidden).to_string();
        assert!(refusal.contains("permission denied"), "{forbidden}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_would_lose_commits_is_refused() {
    let server = Arc::new(Postgres::start().await);
    let place = Place::postgres(&server).await;
    server.run("postgres", "ALTER SYSTEM SET synchronous_commit = off").await;
    server.run("postgres", "SELECT pg_reload_conf()").await;
    eventually("the setting has its effect", || async { place.try_open(Service::Intake, true).await.is_err() }).await;
    let refusal = place.try_open(Service::Intake, true).await.expect_err("commits are not durable").to_string();
    assert_eq!(
        refusal,
        "the intake database does not make commits durable (synchronous_commit is off): set fsync = on and synchronous_commit = on in postgresql.conf"
    );
}
