//! What becomes of a database while its service runs shows in readiness, and an operator is told past the outbox.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use lasegue_contracts::platform::EventsHeldUp;
use lasegue_contracts::topology::ALERTING_TROUBLES;
use lasegue_contracts::{Envelope, Service};
use lasegue_platform::bus::{Bus, EmbeddedBus};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::http::Health;
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Migrations, Store};
use lasegue_platform::{Base, Databases};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::containers::Postgres;
use lasegue_testkit::wait::pause;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::faults::run;
use crate::support::{Place, eventually};

/// Intake in a process, and somebody in alerting's place.
struct Watched {
    base: Base,
    clock: ManualClock,
    store: Store,
    told: Arc<Mutex<Vec<Envelope>>>,
    /// Whether alerting takes what it is told.
    takes: Arc<AtomicBool>,
}

impl Watched {
    async fn start(place: &Place) -> Self {
        let clock = ManualClock::at_text("2026-01-21T09:00:00Z");
        let bus = Arc::new(EmbeddedBus::new(Arc::new(clock.clone())));
        let base = Base {
            bus: bus.clone(),
            clock: Arc::new(clock.clone()),
            keys: Arc::default(),
            random: SystemRandom::shared(),
            lifecycle: Lifecycle::new(SystemClock::shared()),
            databases: databases(place),
            health: Health::default(),
            migrate: true,
            restorable_for: lasegue_platform::store::RESTORABLE_FOR,
            opened: lasegue_platform::Opened::default(),
        };
        let store = clock.going_on(base.open_store(Service::Intake, Migrations::NONE)).await;
        let store = store.expect("the place takes a database");
        let (told, takes) = (Arc::<Mutex<Vec<Envelope>>>::default(), Arc::new(AtomicBool::new(true)));
        tokio::spawn(listen(bus, told.clone(), takes.clone()));
        Self { base, clock, store, told, takes }
    }

    /// Lets so many seconds pass, one at a time, as a clock does.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            pause(Duration::from_millis(20)).await;
        }
    }

    async fn passes_until(&self, what: &str, holds: impl Fn() -> bool) {
        eventually(what, || async {
            self.pass(1).await;
            holds()
        })
        .await;
    }

    fn told(&self) -> Vec<(Uuid, EventsHeldUp)> {
        let told = self.told.lock().expect("no test panics with it");
        told.iter().map(|envelope| (envelope.id, envelope.open().expect("an event"))).collect()
    }

    fn stands(&self) -> bool {
        self.store.standing().borrow().nothing_stored.is_none()
    }

    async fn readiness(&self) -> (bool, String) {
        let (ready, told) = self.base.health.report().await;
        (ready, told["intake database"].as_str().unwrap_or_default().to_owned())
    }
}

fn databases(place: &Place) -> Databases {
    match place {
        Place::Sqlite(folder) => Databases::Folder(folder.path().to_owned()),
        Place::Postgres(server, database) => {
            Databases::Postgres([(Service::Intake, server.url(Service::Intake, database).into())].into())
        }
    }
}

/// Keeps what alerting is told, or fails at it.
async fn listen(bus: Arc<EmbeddedBus>, told: Arc<Mutex<Vec<Envelope>>>, takes: Arc<AtomicBool>) {
    let joined = bus.subscribe(&ALERTING_TROUBLES, None).await;
    let mut deliveries = joined.expect("the bus has the consumer").deliveries;
    while let Some(delivery) = deliveries.next().await {
        if takes.load(Ordering::SeqCst) {
            told.lock().expect("no test panics with it").push(delivery.message.envelope().expect("an envelope"));
            delivery.answer.ack().await.expect("whoever handed it over waits");
        }
    }
}

/// A database that can be made to keep nothing.
enum Failing {
    File { here: PathBuf, away: PathBuf },
    Server(Arc<Postgres>),
}

impl Failing {
    fn of(place: &Place) -> Self {
        match (place, place.location(Service::Intake)) {
            (_, Location::Sqlite(here)) => Self::File { away: here.with_extension("away"), here },
            (Place::Postgres(server, _), _) => Self::Server(server.clone()),
            (Place::Sqlite(_), _) => panic!("it is in a file"),
        }
    }

    async fn fails(&self, store: &Store) {
        match self {
            Self::File { here, away } => {
                fs::rename(here, away).expect("it can be moved");
                run(store, "PRAGMA query_only = on; DELETE FROM probe").await.expect_err("it takes no writes");
            }
            Self::Server(server) => server.refuse_writes().await,
        }
    }

    async fn heals(&self) {
        match self {
            Self::File { here, away } => fs::rename(away, here).expect("it can be moved back"),
            Self::Server(server) => server.take_writes().await,
        }
    }
}

async fn an_outage_is_told_once(place: Place) {
    let (watched, database) = (Watched::start(&place).await, Failing::of(&place));
    watched.pass(60).await;
    assert!(watched.stands() && watched.told().is_empty(), "nothing is wrong");
    watched.takes.store(false, Ordering::SeqCst);
    database.fails(&watched.store).await;
    watched.pass(20).await;
    assert!(watched.stands(), "it may heal yet");
    watched.passes_until("it shows", || !watched.stands()).await;
    watched.pass(20).await;
    assert_eq!(watched.base.bus.lag(&ALERTING_TROUBLES).await, Ok(0), "what alerting does not take waits nowhere");
    watched.takes.store(true, Ordering::SeqCst);
    watched.passes_until("it is told", || !watched.told().is_empty()).await;
    watched.pass(60).await;
    let (first, event) = &watched.told()[0];
    assert_eq!((watched.told().len(), event.service.as_str()), (1, "intake"));
    assert!(event.nothing_stored && !event.damaged);
    database.heals().await;
    watched.passes_until("it heals", || watched.stands()).await;
    database.fails(&watched.store).await;
    watched.passes_until("the next outage is told, too", || watched.told().len() == 2).await;
    assert_ne!(watched.told()[1].0, *first, "it is another one");
    database.heals().await;
    watched.passes_until("it heals again", || watched.stands()).await;
    eventually("it is ready", || async { watched.readiness().await.0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_once_of_a_file_that_stores_nothing_for_half_a_minute() {
    an_outage_is_told_once(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_once_of_a_server_that_takes_no_writes_for_half_a_minute() {
    an_outage_is_told_once(Place::postgres(&Arc::new(Postgres::start().await)).await).await;
}

/// What a full disk does to a server: the row that is there already is written, and what needs room is not.
const FULL: &str = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON large FOR EACH ROW EXECUTE FUNCTION full_disk()";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_no_room_for_what_is_new_is_an_outage_though_the_probe_commits() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let watched = Watched::start(&place).await;
    run(&watched.store, "CREATE TABLE large (id integer)").await.expect("the table can be made");
    let insert = || run(&watched.store, "INSERT INTO large (id) VALUES (1)");
    insert().await.expect("there is room");
    run(&watched.store, FULL).await.expect("the trigger can be made");
    assert!(insert().await.is_err() && watched.readiness().await.0, "a single one is a hiccup");
    watched.pass(1).await;
    insert().await.expect_err("there is no room");
    watched.pass(1).await;
    let (ready, told) = watched.readiness().await;
    assert!(!ready && told.contains("the disk is full or somebody holds a table"), "{told}");
    eventually("it is told", || async {
        insert().await.expect_err("there is no room");
        watched.pass(4).await;
        !watched.told().is_empty()
    })
    .await;
    assert!(watched.told()[0].1.nothing_stored && !watched.stands());
    run(&watched.store, "DROP TRIGGER full_disk ON large").await.expect("it can be removed");
    watched.passes_until("it heals", || watched.stands()).await;
    assert!(watched.readiness().await.0);
    insert().await.expect("there is room again");
    watched.pass(60).await;
    assert_eq!(watched.told().len(), 1, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_waits_on_for_no_lock_and_keeps_no_connection() {
    let server = Arc::new(Postgres::start().await);
    let place = Place::postgres(&server).await;
    let Place::Postgres(_, database) = &place else { panic!("it is on a server") };
    let store = place.open(Service::Intake).await;
    run(&store, "CREATE TABLE large (id integer)").await.expect("the table can be made");
    let script = "BEGIN; LOCK TABLE intake.large; SELECT pg_sleep(30)";
    let (keeper, database) = (server.clone(), database.clone());
    let lock = tokio::spawn(async move { keeper.run(&database, script).await });
    let waiting = async || {
        let counted = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'intake'";
        server.query(counted).await.trim().to_owned()
    };
    let insert = async || run(&store, "INSERT INTO large (id) VALUES (1)").await;
    pause(Duration::from_secs(2)).await;
    let all_wait = eventually("all of them wait", || async { waiting().await == "3" });
    let (refused, ()) = tokio::join!(join_all((0..3).map(|_| insert())), all_wait);
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
    eventually("none of them waits any more", || async { waiting().await == "0" }).await;
    assert!(!lock.is_finished(), "the table is held still");
    lock.await.expect("it ends");
    insert().await.expect("nobody holds it");
}

/// A table of 6 MB, more than a connection keeps in memory, and a small one.
const TABLES: &str = "CREATE TABLE large (id INTEGER PRIMARY KEY, filler TEXT); CREATE TABLE small (id INTEGER);
    WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 2000)
    INSERT INTO large SELECT id, hex(zeroblob(1500)) FROM n";

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_is_met_is_told_once_and_whatever_needs_no_damaged_page_goes_on() {
    let place = Place::sqlite();
    let before = place.open(Service::Intake).await;
    run(&before, TABLES).await.expect("the tables can be made");
    before.close().await;
    let watched = Watched::start(&place).await;
    let Location::Sqlite(path) = place.location(Service::Intake) else { panic!("it is in a file") };
    let file = OpenOptions::new().write(true).open(&path).expect("it is there");
    let half = file.metadata().expect("it is there").len() / 2;
    file.write_all_at(&vec![0x5a; usize::try_from(half).expect("6 MB")], half).expect("it can be damaged");
    assert!(watched.readiness().await.0, "nobody has met it yet");
    watched.store.reader().execute_unprepared("SELECT sum(length(filler)) FROM large").await.expect_err("damaged");
    let units = (0..20).map(|n| {
        let damaged = "UPDATE large SET filler = 'x'".to_owned();
        let sound = format!("INSERT INTO small (id) VALUES ({n})");
        let store = &watched.store;
        async move { (n % 5 == 4, run(store, if n % 5 == 4 { &damaged } else { &sound }).await) }
    });
    for (damaged, outcome) in join_all(units).await {
        assert_eq!(damaged, outcome.is_err(), "{outcome:?}");
    }
    let (ready, told) = watched.readiness().await;
    assert!(!ready && told.contains(&path.display().to_string()) && told.contains("`lasegue doctor`"), "{told}");
    watched.pass(60).await;
    let told = watched.told();
    assert!(told.len() == 1 && told[0].1.damaged && !told[0].1.nothing_stored, "{told:?}");
    run(&watched.store, "INSERT INTO small (id) VALUES (100)").await.expect("it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_a_server_is_told_as_damage() {
    let place = Place::postgres(&Arc::new(Postgres::start().await)).await;
    let watched = Watched::start(&place).await;
    let damage = "DO $$ BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'XX001'; END $$";
    watched.takes.store(false, Ordering::SeqCst);
    let met = watched.store.reader().execute_unprepared(damage).await.expect_err("the page is damaged");
    assert!(met.to_string().contains("invalid page"), "{met}");
    watched
        .passes_until("alerting does not take it", || watched.store.standing().borrow().damage_untold.is_some())
        .await;
    watched.takes.store(true, Ordering::SeqCst);
    watched.passes_until("it is told", || watched.told().iter().any(|(_, event)| event.damaged)).await;
    let (ready, told) = watched.readiness().await;
    assert!(!ready && told.contains("the intake database in PostgreSQL is damaged"), "{told}");
    run(&watched.store, "DELETE FROM outbox").await.expect("it goes on");
}
