//! A service with a database of its own, for tests.

use std::sync::Arc;

use lasegue_contracts::Service;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Migrations, Store};
use tempfile::TempDir;

pub(crate) use lasegue_testkit::wait::eventually;

/// A folder and the store in it.
pub(crate) struct Home {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) store: Store,
}

pub(crate) async fn home(service: Service) -> Home {
    let folder = Arc::new(tempfile::tempdir().expect("the system has a folder for temporary files"));
    let store = reopen(&folder, service).await;
    Home { folder, store }
}

pub(crate) async fn reopen(folder: &TempDir, service: Service) -> Store {
    let location = Location::Sqlite(folder.path().join(format!("{service}.sqlite")));
    Store::open(service, &location, Migrations::NONE, true, SystemClock::shared(), SystemRandom::shared())
        .await
        .expect("an empty folder takes a new database")
}
