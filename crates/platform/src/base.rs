//! What a service is given to start with, and the few verbs by which every service is put together the same way.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lasegue_contracts::Service;
use lasegue_contracts::topology::Consumer;
use secrecy::{ExposeSecret, SecretString};

use crate::bus::Bus;
use crate::clock::SharedClock;
use crate::consume::{Consuming, Handler};
use crate::http::Health;
use crate::lifecycle::{Lifecycle, Stage};
use crate::random::SharedRandom;
use crate::store::timers::{self, OnTimer};
use crate::store::{self, Location, Migrations, Store, StoreError};

/// Where the databases of a process are.
#[derive(Clone, Debug)]
pub enum Databases {
    /// One SQLite file for each service in this folder.
    Folder(PathBuf),
    /// One PostgreSQL address for each service, with its role and password.
    Postgres(BTreeMap<Service, SecretString>),
}

/// What every service stands on in one process. Cheap to clone.
#[derive(Clone)]
pub struct Base {
    /// Carries events.
    pub bus: Arc<dyn Bus>,
    /// Tells the time.
    pub clock: SharedClock,
    /// Makes ids and secrets.
    pub random: SharedRandom,
    /// Holds the running parts.
    pub lifecycle: Lifecycle,
    /// Where the databases are.
    pub databases: Databases,
    /// What must hold before the process takes work.
    pub health: Health,
    /// Whether a service brings its database up to date itself.
    pub migrate: bool,
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base").field("bus", &self.bus).field("databases", &self.databases).finish_non_exhaustive()
    }
}

impl Base {
    /// Opens `service`'s database and starts the relay of its outbox; both end with the process.
    ///
    /// # Errors
    /// When the database cannot be opened; the error says what to do.
    pub async fn open_store(&self, service: Service, migrations: Migrations) -> Result<Store, StoreError> {
        let location = match &self.databases {
            Databases::Folder(folder) => Location::Sqlite(folder.join(format!("{service}.sqlite"))),
            Databases::Postgres(addresses) => {
                let address = addresses.get(&service).ok_or(StoreError::NoAddress { service })?;
                Location::Postgres(address.expose_secret().to_owned())
            }
        };
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let store = Store::open(service, &location, migrations, self.migrate, clock, random).await?;
        let (relayed, bus) = (store.clone(), self.bus.clone());
        self.lifecycle.spawn(Stage::Relay, "relay", move |stop| store::relay(relayed, bus, stop));
        let checked = store.clone();
        self.health.check(format!("{service} database"), move || {
            let store = checked.clone();
            async move { store.reader().ping().await.map_err(|error| error.to_string()) }
        });
        let closing = store.clone();
        self.lifecycle.on_close(service.name(), move || Box::pin(async move { closing.close().await }));
        Ok(store)
    }

    /// Lets `handler` take the events of `consumer`.
    pub fn consume(&self, store: &Store, consumer: &'static Consumer, handler: Arc<dyn Handler>) {
        let consuming = Consuming { consumer, handler, store: store.clone(), bus: self.bus.clone() };
        self.lifecycle.spawn(Stage::Work, consumer.name, move |stop| consuming.run(stop));
    }

    /// Fires the timers of `store`.
    pub fn fire_timers(&self, store: &Store, on_timer: Arc<dyn OnTimer>) {
        let store = store.clone();
        self.lifecycle.spawn(Stage::Work, "timers", move |stop| timers::run(store, on_timer, stop));
    }
}
