//! A service with a database of its own, for tests: on SQLite, or on one PostgreSQL server that the tests of this process
//! share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lasegue_contracts::Service;
use lasegue_platform::clock::{SharedClock, SystemClock};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Migrations, Store, StoreError};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::containers::Postgres;
use tempfile::TempDir;

pub(crate) use lasegue_testkit::wait::eventually;

/// Where a test's databases are.
#[derive(Clone)]
pub(crate) enum Place {
    /// In a folder.
    Sqlite(Arc<TempDir>),
    /// In a database of a server.
    Postgres(Arc<Postgres>, String),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().expect("the system has a folder for temporary files")))
    }

    /// A new, empty database of `server`.
    pub(crate) async fn postgres(server: &Arc<Postgres>) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::SeqCst));
        server.make(&name).await;
        Self::Postgres(server.clone(), name)
    }

    pub(crate) fn location(&self, service: Service) -> Location {
        match self {
            Self::Sqlite(folder) => Location::Sqlite(folder.path().join(format!("{service}.sqlite"))),
            Self::Postgres(server, database) => Location::Postgres(server.url(service, database)),
        }
    }

    pub(crate) async fn try_open(&self, service: Service, migrate: bool) -> Result<Store, StoreError> {
        let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
        Store::open(service, &self.location(service), Migrations::NONE, migrate, clock, random).await
    }

    /// Intake's store under a clock that shows `now` and stands still.
    pub(crate) async fn open_at(&self, now: &str) -> (SharedClock, Store) {
        let clock: SharedClock = Arc::new(ManualClock::at_text(now));
        let (service, random) = (Service::Intake, SystemRandom::shared());
        let opened = Store::open(service, &self.location(service), Migrations::NONE, true, clock.clone(), random).await;
        (clock, opened.expect("the place takes a database"))
    }

    pub(crate) async fn open(&self, service: Service) -> Store {
        self.try_open(service, true).await.expect("an empty place takes a new database")
    }
}

/// A place and the store in it.
pub(crate) struct Home {
    pub(crate) place: Place,
    pub(crate) store: Store,
}

pub(crate) async fn home(service: Service) -> Home {
    let place = Place::sqlite();
    let store = place.open(service).await;
    Home { place, store }
}
