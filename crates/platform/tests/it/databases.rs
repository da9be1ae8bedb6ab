//! The store and timer suites on both databases, and what holds on one of them only.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use lasegue_contracts::Service;
use lasegue_platform::store::{Location, Migrations, Store, StoreError};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::containers::Postgres;
use lasegue_testkit::wait::pause;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait,
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{Place, eventually};
use crate::{audit, dead_letters, failing, store, timers};

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
    audit::each_call_with_a_token_leaves_one_row_that_says_who_what_and_how_it_ended
    audit::however_many_tokens_are_forged_few_rows_are_left
    audit::reading_goes_on_when_no_row_can_be_written
    audit::two_replicas_that_seal_at_once_make_one_chain_without_a_gap
    audit::what_a_process_left_unsealed_is_sealed_by_the_next
    store::units_side_by_side_all_commit
    store::an_event_that_no_bus_takes_is_refused_in_the_commit_that_makes_it
    store::a_refused_unit_leaves_nothing_and_spoils_no_neighbour
    store::a_panicking_unit_is_rolled_back_and_the_writer_goes_on
    store::what_was_committed_is_there_after_reopening
    store::what_was_committed_before_the_clock_was_set_back_is_published
    store::an_event_is_handled_once_by_each_consumer
    store::conflicting_changes_are_tried_again_until_each_has_counted
    store::pending_migrations_are_refused_with_the_command_that_applies_them
    store::a_database_is_brought_up_to_date_once_and_then_opens
    failing::an_event_that_goes_on_failing_is_told_of_once_and_its_neighbours_go_on
    failing::a_panic_in_a_timers_work_ends_neither_the_process_nor_its_neighbours_and_is_told_of
    dead_letters::a_dead_letter_is_shown_with_its_bytes_and_handled_again_once_the_cause_is_mended
    dead_letters::a_dead_letter_that_was_given_up_stays_so_when_its_event_comes_again
    dead_letters::a_timer_that_was_given_up_is_tried_no_more_until_it_is_set_anew_and_is_told_of_again
    dead_letters::dead_letters_come_in_pages_and_only_to_operators
    dead_letters::what_is_done_with_is_kept_for_ninety_days_and_what_is_open_for_ever
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

#[tokio::test]
async fn sqlite_needs_no_folder_for_temporary_files() {
    let store = Place::sqlite().open(Service::Intake).await;
    let ask = || Statement::from_string(DbBackend::Sqlite, "PRAGMA temp_store");
    let read = store.reader().query_one_raw(ask()).await.expect("the reader answers");
    let written = store
        .commit::<_, StoreError, _>(move |unit| Box::pin(async move { Ok(unit.db().query_one_raw(ask()).await?) }));
    for row in [read, written.await.expect("the writer answers")] {
        let place: i64 = row.expect("one row").try_get_by_index(0).expect("a number");
        assert_eq!(place, 2, "2 is memory");
    }
}

#[tokio::test]
async fn after_an_orderly_end_the_database_file_alone_is_all_there_is() {
    let (from, to) = (Place::sqlite(), Place::sqlite());
    let store = from.open(Service::Intake).await;
    store::publish(&store).await.expect("it commits");
    store.close().await;
    let log = PathBuf::from(format!("{}-wal", file_of(&from).display()));
    assert!(fs::metadata(log).map_or(0, |log| log.len()) == 0, "the log is empty or gone");
    fs::copy(file_of(&from), file_of(&to)).expect("the file can be copied");
    assert_eq!(store::owed(&to.open(Service::Intake).await).await, 1);
}

#[tokio::test]
async fn a_damaged_file_is_refused_by_its_name_with_what_to_do() {
    for damage in [0, 4_096, 20_480] {
        let place = Place::sqlite();
        place.open(Service::Intake).await.close().await;
        let path = file_of(&place);
        let file = fs::OpenOptions::new().write(true).open(&path).expect("it is there");
        file.write_all_at(&[0x5a; 4_096], damage).expect("it can be damaged");
        let refusal = place.try_open(Service::Intake, true).await.expect_err("it is damaged").to_string();
        let begin = format!("the intake database {} is damaged (", path.display());
        assert!(refusal.starts_with(&begin) && refusal.contains("`lasegue restore --replace`"), "{damage}: {refusal}");
    }
}

fn file_of(place: &Place) -> PathBuf {
    let Location::Sqlite(path) = place.location(Service::Intake) else { panic!("it is a file") };
    path
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

/// Units that come at once to a server that takes no writes, more than have a place.
const CROWD: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_learns_with_the_first_that_postgres_takes_no_writes() {
    let server = Arc::new(Postgres::start().await);
    let store = Place::postgres(&server).await.open(Service::Intake).await;
    server.refuse_writes().await;
    eventually("it takes no writes", || async { store::publish(&store).await.is_err() }).await;
    let ran = Arc::new(AtomicUsize::new(0));
    let crowd = join_all((0..CROWD).map(|_| {
        let ran = ran.clone();
        store.commit::<_, StoreError, _>(move |unit| {
            ran.fetch_add(1, Ordering::SeqCst);
            Box::pin(unit.first_time("a", EVENT))
        })
    }));
    let refused = crowd.await.iter().filter(|refused| matches!(refused, Err(StoreError::Unavailable(_)))).count();
    assert_eq!(refused, CROWD);
    let ran = ran.load(Ordering::SeqCst);
    assert!(ran < CROWD / 3, "{ran} of {CROWD} tried it one after the other");
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
        "SELECT * FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
    ] {
        let refusal = intake.reader().execute_unprepared(forbidden).await.expect_err(forbidden).to_string();
        let denied = ["permission denied", "must be superuser"].iter().any(|words| refusal.contains(words));
        assert!(denied, "{forbidden}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_role_takes_the_connections_of_no_other() {
    let server = Arc::new(Postgres::start().await);
    let place = Place::postgres(&server).await;
    let mut held = Vec::new();
    while let Ok(connection) = alone(&place, Service::Intake).await {
        held.push(connection);
    }
    assert_eq!(held.len(), 45, "two replicas, those that they follow, a migration and an operator");
    place.open(Service::Assessment).await;
    let clock = ManualClock::at_text("2026-01-21T09:00:00Z");
    let hurrying = async {
        loop {
            pause(Duration::from_millis(100)).await;
            clock.advance(Duration::from_secs(10));
        }
    };
    let refused = tokio::select! {
        opened = place.try_open_by(Arc::new(clock.clone()), Service::Intake) => opened.expect_err("there is none left").to_string(),
        never = hurrying => never,
    };
    assert!(refused.starts_with("PostgreSQL gives the role intake no further connection"), "{refused}");
    let mine = held.first().expect("some were held");
    let raised = mine.execute_unprepared("ALTER ROLE intake CONNECTION LIMIT -1").await;
    assert!(raised.expect_err("only an operator may").to_string().contains("permission denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_connects_to_no_database_of_the_server_itself() {
    let server = Arc::new(Postgres::start().await);
    for service in Service::ALL {
        for database in ["postgres", "template1"] {
            let place = Place::Postgres(server.clone(), database.to_owned());
            let refusal = alone(&place, service).await.expect_err(database).to_string();
            assert!(refusal.contains("permission denied for database"), "{service} {database}: {refusal}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_hangs_the_migrations_of_another() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let other = alone(&place, Service::Assessment).await.expect("it may connect");
    let hanging = other.begin().await.expect("it may begin");
    let number = "SELECT pg_advisory_lock(hashtext('intake'))";
    hanging.execute_unprepared(number).await.expect("whoever wants may have a number's lock");
    let opened = timeout(Duration::from_secs(20), place.try_open(Service::Intake, true)).await;
    opened.expect("nobody is waited for").expect("an empty place takes a new database");
    let refusal = hanging.execute_unprepared("LOCK TABLE intake.migration_turn IN ACCESS SHARE MODE").await;
    assert!(refusal.expect_err("it is intake's own").to_string().contains("permission denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_hangs_is_waited_for_no_longer_than_half_a_minute_and_then_named() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let replica = alone(&place, Service::Intake).await.expect("it may connect");
    let hanging = replica.begin().await.expect("it may begin");
    hanging.execute_unprepared("CREATE TABLE migration_turn ()").await.expect("it is the schema's owner");
    let opened = timeout(Duration::from_mins(1), place.try_open(Service::Intake, true)).await;
    let refusal = opened.expect("the waiting ends").map(drop).expect_err("another replica is at it").to_string();
    assert_eq!(
        refusal,
        "another session has held the intake schema for 30 s: a `lasegue migrate` that works still or hangs, or a dump. Let it end, or end it (docs/operations.md, Upgrading, says how to find it), then run `lasegue migrate` again"
    );
    drop(hanging);
    place.open(Service::Intake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_may_take_longer_than_a_unit_may_idle() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let location = place.location(Service::Intake);
    let long = Migrations(|| vec![Box::new(Long)]);
    let both = join_all((0..2).map(|_| Store::migrate(Service::Intake, &location, long))).await;
    for migrated in both {
        migrated.expect("each waits for the other");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_hangs_in_the_middle_of_a_migration_keeps_no_other_waiting_for_long() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let location = place.location(Service::Intake);
    let hung = tokio::spawn({
        let (location, hanging) = (location.clone(), Migrations(|| vec![Box::new(Hanging)]));
        async move { Store::migrate(Service::Intake, &location, hanging).await }
    });
    HANGS.notified().await;
    let long = Migrations(|| vec![Box::new(Long)]);
    let migrated = timeout(Duration::from_secs(30), Store::migrate(Service::Intake, &location, long)).await;
    assert_eq!(migrated.expect("the hanging one is given up").expect("the schema is free"), 1);
    assert!(!hung.is_finished(), "it hangs still");
    hung.abort();
}

static HANGS: Notify = Notify::const_new();

/// Has the name of [`Long`] and never comes to its end.
struct Hanging;

impl MigrationName for Hanging {
    fn name(&self) -> &'static str {
        "m9999_long"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Hanging {
    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        HANGS.notify_one();
        pause(Duration::from_mins(5)).await;
        Ok(())
    }
}

/// Takes 7 seconds: a session that idles in a transaction is ended after 5.
struct Long;

impl MigrationName for Long {
    fn name(&self) -> &'static str {
        "m9999_long"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Long {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("SELECT pg_sleep(7)").await.map(drop)
    }
}

/// One connection of `service`'s role, without a pool.
async fn alone(place: &Place, service: Service) -> Result<DatabaseConnection, DbErr> {
    let Location::Postgres(url) = place.location(service) else { panic!("it is a server") };
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).acquire_timeout(Duration::from_secs(3)).sqlx_logging(false);
    Database::connect(options).await
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
