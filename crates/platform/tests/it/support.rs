//! A service with a database of its own, for tests: on SQLite, or on one PostgreSQL server that the tests of this process
//! share.

use std::fs;
use std::path::Path;
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

    /// A copy of the files of `service`'s database, which is closed.
    pub(crate) fn copy(&self, service: Service) -> TempDir {
        let backup = tempfile::tempdir().expect("the system has a folder for temporary files");
        move_files(self.folder(), service, |from| {
            fs::copy(from, backup.path().join(from.file_name().expect("a file has a name"))).expect("it can be copied");
        });
        backup
    }

    /// Puts the files of a copy in the place of what is there.
    pub(crate) fn put_back(&self, service: Service, backup: &TempDir) {
        let folder = self.folder();
        move_files(folder, service, |old| fs::remove_file(old).expect("it can be removed"));
        move_files(backup.path(), service, |from| {
            fs::copy(from, folder.join(from.file_name().expect("a file has a name"))).expect("it can be copied");
        });
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Sqlite(folder) => folder.path(),
            Self::Postgres(..) => panic!("only files are copied"),
        }
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

    pub(crate) async fn try_open_by(&self, clock: SharedClock, service: Service) -> Result<Store, StoreError> {
        Store::open(service, &self.location(service), Migrations::NONE, false, clock, SystemRandom::shared()).await
    }

    /// Intake's store under a clock that shows `now` and stands still.
    pub(crate) async fn open_at(&self, now: &str) -> (SharedClock, Store) {
        let clock = ManualClock::at_text(now);
        let shared: SharedClock = Arc::new(clock.clone());
        let (service, random) = (Service::Intake, SystemRandom::shared());
        let location = self.location(service);
        let opening = Store::open(service, &location, Migrations::NONE, true, shared.clone(), random);
        let opened = clock.going_on(opening).await;
        (shared, opened.expect("the place takes a database"))
    }

    pub(crate) async fn open(&self, service: Service) -> Store {
        self.try_open(service, true).await.expect("an empty place takes a new database")
    }
}

fn move_files(folder: &Path, service: Service, each: impl Fn(&Path)) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(service.name())) {
            each(&path);
        }
    }
}

/// A place and the store in it.
pub(crate) struct Home {
    pub(crate) place: Place,
    pub(crate) store: Store,
}

impl Home {
    /// The same place, opened again.
    pub(crate) async fn again(self, service: Service) -> Self {
        let store = self.place.open(service).await;
        Self { place: self.place, store }
    }
}

pub(crate) async fn home(service: Service) -> Home {
    let place = Place::sqlite();
    let store = place.open(service).await;
    Home { place, store }
}
