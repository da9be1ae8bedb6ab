//! Every statement of a unit of work fails, begin and commit included, and the store tells no lie: what it acknowledged is
//! there after reopening, what it refused is not, and the next unit works.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lasegue_contracts::Service;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Migrations, Store, StoreError};
use lasegue_testkit::containers::Postgres;
use lasegue_testkit::wait::pause;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::cuts::{Cut, Cutter};
use crate::support::Place;

/// Rows that a unit writes, each with a statement of its own.
const STATEMENTS: i64 = 5;
/// When everybody knows that a server is away: not each in turn, for which two hundred would take most of a minute.
const ALL_TOLD_WITHIN: Duration = Duration::from_secs(15);
/// What fails a COMMIT: a row that refers to nothing, which both databases look at no earlier.
const TABLES: &str =
    "CREATE TABLE kept (id BIGINT PRIMARY KEY, refers BIGINT REFERENCES kept (id) DEFERRABLE INITIALLY DEFERRED)";

/// What happens to one statement of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It is refused; the transaction goes on on SQLite.
    Refused,
    /// It takes the transaction with it, as an I/O error may.
    Undone,
    /// The database takes no more pages from here on.
    Full,
    /// The database takes no more writes from here on.
    ReadOnly,
    /// Nothing, but COMMIT is refused.
    Commit,
}

/// What the unit does about a statement that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Refuses,
    GoesOn,
}

/// The fault, the statement that it hits, and what the unit does then.
type Case = (Fault, i64, Then);

pub(crate) async fn run(store: &Store, sql: &str) -> Result<(), StoreError> {
    let sql = sql.to_owned();
    store.commit(|unit| Box::pin(async move { Ok(unit.db().execute_unprepared(&sql).await.map(drop)?) })).await
}

/// Writes the rows `first..first + STATEMENTS` in one unit, in which the case's fault happens.
async fn write(store: &Store, first: i64, case: Option<Case>) -> Result<(), StoreError> {
    store
        .commit(move |unit| {
            Box::pin(async move {
                for n in 0..STATEMENTS {
                    let (fault, then) = match case {
                        Some((fault, at, then)) if at == n => (Some(fault), then),
                        _ => (None, Then::Refuses),
                    };
                    let written = statement(unit.db(), first + n, fault).await;
                    if then == Then::Refuses {
                        written?;
                    }
                }
                Ok(())
            })
        })
        .await
}

async fn statement(db: &impl ConnectionTrait, id: i64, fault: Option<Fault>) -> Result<(), DbErr> {
    let before = match fault {
        Some(Fault::Full) => "PRAGMA max_page_count = 1",
        Some(Fault::ReadOnly) => "PRAGMA query_only = on",
        _ => "SELECT 1",
    };
    db.execute_unprepared(before).await?;
    let row = match fault {
        Some(Fault::Refused) => format!("INSERT INTO kept (id) VALUES ({id}), ({id})"),
        Some(Fault::Undone) => format!("INSERT OR ROLLBACK INTO kept (id) VALUES ({id}), ({id})"),
        Some(Fault::Full) => format!("CREATE TABLE too_much_{id} AS SELECT hex(zeroblob(100000)) AS filler"),
        Some(Fault::Commit) => format!("INSERT INTO kept (id, refers) VALUES ({id}, -1)"),
        _ => format!("INSERT INTO kept (id) VALUES ({id})"),
    };
    db.execute_unprepared(&row).await.map(drop)
}

async fn kept(store: &Store, first: i64) -> i64 {
    let sql = format!("SELECT count(*) FROM kept WHERE id >= {first} AND id < {}", first + STATEMENTS);
    let statement = Statement::from_string(store.reader().get_database_backend(), sql);
    let row = store.reader().query_one_raw(statement).await.expect("it can be read").expect("one row");
    row.try_get_by_index(0).expect("a number")
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for at in 0..STATEMENTS {
        for fault in [Fault::Refused, Fault::Undone, Fault::Full, Fault::ReadOnly] {
            cases.push((fault, at, Then::Refuses));
        }
        for fault in [Fault::Full, Fault::ReadOnly] {
            cases.push((fault, at, Then::GoesOn));
        }
        cases.push((Fault::Commit, at, Then::Refuses));
    }
    // Its last statement only: what came after would be in no transaction, and no error of the database's own does that.
    cases.push((Fault::Undone, STATEMENTS - 1, Then::GoesOn));
    cases
}

#[tokio::test]
async fn no_statement_of_a_unit_can_fail_on_sqlite_in_a_way_that_makes_the_store_lie() {
    let place = Place::sqlite();
    let mut store = place.open(Service::Intake).await;
    run(&store, TABLES).await.expect("a table can be made");
    let mut acknowledged = Vec::new();
    let mut refused = Vec::new();
    for (n, case) in (0_i64..).zip(cases()) {
        let first = n * 100;
        let units = [(first, None), (first + 20, Some(case)), (first + 40, None), (first + 60, None)];
        let told = join_all(units.map(|(first, case)| write(&store, first, case))).await;
        for ((first, case), told) in units.into_iter().zip(told) {
            assert!(case.is_none() || told.is_err(), "{case:?} was acknowledged");
            match told {
                Ok(()) => acknowledged.push(first),
                Err(_) => refused.push((first, case)),
            }
        }
        write(&store, first + 80, None).await.unwrap_or_else(|error| panic!("the unit after {case:?}: {error:?}"));
        acknowledged.push(first + 80);
        store.close().await;
        store = place.open(Service::Intake).await;
        for first in &acknowledged {
            assert_eq!(kept(&store, *first).await, STATEMENTS, "lost after {case:?}");
        }
        for (first, own) in &refused {
            assert_eq!(kept(&store, *first).await, 0, "{own:?} was refused and is there after {case:?}");
        }
    }
}

#[tokio::test]
async fn a_unit_whose_transaction_cannot_begin_is_told_that_nothing_was_stored() {
    let place = Place::sqlite();
    let (store, other) = (place.open(Service::Intake).await, place.open(Service::Intake).await);
    run(&store, TABLES).await.expect("a table can be made");
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let holding = tokio::spawn(async move {
        let held = other.commit::<_, StoreError, _>(move |_| {
            Box::pin(async move {
                let _ = begun.send(());
                Ok(ended.await.is_ok())
            })
        });
        held.await
    });
    has_begun.await.expect("the other process holds the file");
    let told = write(&store, 0, None).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    end.send(()).expect("it waits");
    holding.await.expect("no panic").expect("it commits");
    write(&store, 100, None).await.expect("the file is free again");
    assert_eq!((kept(&store, 0).await, kept(&store, 100).await), (0, STATEMENTS));
}

/// A store that reaches PostgreSQL through a proxy, and one that reaches it straight.
struct Between {
    server: Arc<Postgres>,
    cutter: Cutter,
    through: Location,
    cut: Store,
    straight: Store,
}

async fn between() -> Between {
    let server = Arc::new(Postgres::start().await);
    let place = Place::postgres(&server).await;
    let straight = place.open(Service::Intake).await;
    run(&straight, TABLES).await.expect("a table can be made");
    let Location::Postgres(url) = place.location(Service::Intake) else { panic!("it is on a server") };
    let port: u16 = url.split(['/', ':']).rev().nth(1).and_then(|port| port.parse().ok()).expect("the address has one");
    let cutter = Cutter::before(port).await;
    let address = format!("{}?sslmode=disable", url.replace(&format!(":{port}/"), &format!(":{}/", cutter.port())));
    let through = Location::Postgres(address);
    let cut = open(&through).await.expect("the proxy lets it through");
    Between { server, cutter, through, cut, straight }
}

async fn open(location: &Location) -> Result<Store, StoreError> {
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    Store::open(Service::Intake, location, Migrations::NONE, true, clock, random).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_starts_before_its_server_answers_waits_for_it() {
    let Between { server: _server, cutter, through, cut: _, straight } = between().await;
    cutter.silence(true);
    let starting = tokio::spawn(async move { open(&through).await });
    pause(Duration::from_secs(4)).await;
    assert!(!starting.is_finished(), "it gave up");
    cutter.silence(false);
    let started = starting.await.expect("it does not panic").expect("it starts once the server answers");
    write(&started, 100, None).await.expect("it commits");
    assert_eq!(kept(&straight, 100).await, STATEMENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_to_postgres_can_be_cut_in_a_way_that_makes_the_store_lie() {
    let Between { server: _server, cutter, cut, straight, .. } = between().await;
    let (mut first, mut places, mut unknown) = (0, 0, [0, 0]);
    for how in [Cut::Before, Cut::After] {
        for n in 0.. {
            first += 100;
            cutter.arm(n, how);
            let told = write(&cut, first, None).await;
            let was_cut = cutter.disarm();
            let there = kept(&straight, first).await;
            match &told {
                Ok(()) => assert_eq!(there, STATEMENTS, "{how:?} {n}: acknowledged and lost"),
                Err(StoreError::Unavailable(_)) => assert_eq!(there, 0, "{how:?} {n}: refused and there"),
                Err(StoreError::Unknown(_)) => {
                    assert!(there == 0 || there == STATEMENTS, "{how:?} {n}: half of it is there");
                    unknown[usize::from(there > 0)] += 1;
                }
                Err(other) => panic!("{how:?} {n}: {other:?}"),
            }
            write(&cut, first + 50, None).await.unwrap_or_else(|error| panic!("after {how:?} {n}: {error:?}"));
            assert_eq!(kept(&straight, first + 50).await, STATEMENTS);
            if !was_cut {
                break;
            }
            places += 1;
        }
    }
    assert!(places >= 2 * (STATEMENTS + 2), "BEGIN, COMMIT and every statement are cut both ways: {places}");
    assert!(unknown[0] > 0 && unknown[1] > 0, "a lost answer to COMMIT is told as unknown: {unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_a_unit_can_fail_on_postgres_in_a_way_that_makes_the_store_lie() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let store = place.open(Service::Intake).await;
    run(&store, TABLES).await.expect("a table can be made");
    for at in 0..STATEMENTS {
        for case in [
            (Fault::Refused, at, Then::Refuses),
            (Fault::Refused, at, Then::GoesOn),
            (Fault::Commit, at, Then::Refuses),
        ] {
            assert!(write(&store, 0, Some(case)).await.is_err(), "{case:?} was acknowledged");
            assert_eq!(kept(&store, 0).await, 0, "{case:?} was refused and is there");
        }
        write(&store, 100 * (at + 1), None).await.expect("the next unit works");
        assert_eq!(kept(&store, 100 * (at + 1)).await, STATEMENTS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_waits_for_a_server_that_is_away_is_told_so_and_it_heals() {
    let Between { server: _server, cutter, cut, straight, .. } = between().await;
    cutter.silence(true);
    let writes = join_all((0..200).map(|n| write(&cut, 100 * n, None)));
    let told = tokio::time::timeout(ALL_TOLD_WITHIN, writes).await.expect("nobody waits for those before");
    assert!(told.iter().all(|told| matches!(told, Err(StoreError::Unavailable(_)))), "{told:?}");
    cutter.silence(false);
    write(&cut, 100_000, None).await.expect("it commits again");
    assert_eq!(kept(&straight, 100_000).await, STATEMENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_units_and_reads_waits_for_connections_and_fails_nobody() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let store = &place.open(Service::Intake).await;
    let units = join_all((0..300).map(|_| async move {
        let slow = store.commit::<_, StoreError, _>(|unit| {
            Box::pin(async move {
                pause(Duration::from_millis(50)).await;
                Ok(unit.db().execute_unprepared("SELECT 1").await.map(drop)?)
            })
        });
        slow.await
    }));
    let reads = join_all((0..300).map(|_| store.reader().execute_unprepared("SELECT pg_sleep(0.02)")));
    let (units, reads) = tokio::join!(units, reads);
    assert!(units.iter().all(Result::is_ok), "{:?}", units.iter().find(|unit| unit.is_err()));
    assert!(reads.iter().all(Result::is_ok), "{:?}", reads.iter().find(|read| read.is_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_primary_that_became_a_standby_are_dropped() {
    let server = Arc::new(Postgres::start().await);
    let store = Place::postgres(&server).await.open(Service::Intake).await;
    run(&store, TABLES).await.expect("a table can be made");
    // Only connections that are made from now on see this, as only they reach another server at the same address.
    server.run("postgres", "ALTER ROLE intake SET default_transaction_read_only = off").await;
    server.run("postgres", "ALTER SYSTEM SET default_transaction_read_only = on").await;
    server.run("postgres", "SELECT pg_reload_conf()").await;
    let mut first = -100;
    let told = loop {
        match write(&store, first, None).await {
            Ok(()) => first -= 100,
            Err(error) => break error,
        }
    };
    assert!(matches!(told, StoreError::Unavailable(_)), "{told:?}");
    write(&store, 100, None).await.expect("a connection made anew reaches the primary");
    assert_eq!((kept(&store, first).await, kept(&store, 100).await), (0, STATEMENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_nothing_comes_through_any_more_holds_nobody_up_for_long() {
    let Between { server: _server, cutter, cut, straight, .. } = between().await;
    join_all((0..20).map(|n| write(&cut, 100 * n, None))).await;
    let under_way = cut.commit::<_, StoreError, _>(|unit| {
        Box::pin(async move {
            unit.db().execute_unprepared("SELECT 1").await?;
            pause(std::time::Duration::from_secs(1)).await;
            Ok(unit.db().execute_unprepared("INSERT INTO kept (id) VALUES (7_000)").await.map(drop)?)
        })
    });
    let forgetting = async {
        pause(std::time::Duration::from_millis(500)).await;
        cutter.forget();
    };
    let (told, ()) = tokio::join!(under_way, forgetting);
    assert!(matches!(told, Err(StoreError::Unavailable(_) | StoreError::Unknown(_))), "{told:?}");
    // Each place would be taken by a connection that is silent, were they not all given up together.
    for n in 0..20 {
        write(&cut, 10_000 + 100 * n, None).await.expect("it commits again");
    }
    cut.reader().execute_unprepared("SELECT 1").await.expect("it reads again");
    assert_eq!(kept(&straight, 11_900).await, STATEMENTS);
}
