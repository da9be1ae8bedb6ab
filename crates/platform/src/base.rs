//! What a service is given to start with, and the few verbs by which every service is put together the same way.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lasegue_contracts::Service;
use lasegue_contracts::topology::Consumer;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::audit;
use crate::bus::Bus;
use crate::clock::SharedClock;
use crate::consume::{Consuming, Handler};
use crate::direct::live_consumers;
use crate::http::Health;
use crate::lifecycle::{Lifecycle, Stage};
use crate::random::SharedRandom;
use crate::signed::EventKeys;
use crate::store::timers::{self, OnTimer};
use crate::store::{self, Late, Location, Migrations, Probe, Store, StoreError};

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
    /// What its services sign with, where they are processes of their own.
    pub keys: Arc<EventKeys>,
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
    /// How old a backup may be when it is restored.
    pub restorable_for: Duration,
    /// What was opened ahead.
    pub opened: Opened,
}

/// Databases that were opened before any service was put to work.
#[derive(Clone, Debug, Default)]
pub struct Opened(Arc<Mutex<BTreeMap<Service, Store>>>);

impl Opened {
    fn keep(&self, store: Store) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(store.service(), store);
    }

    fn take(&self, service: Service) -> Option<Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&service)
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base").field("bus", &self.bus).field("databases", &self.databases).finish_non_exhaustive()
    }
}

impl Base {
    /// Opens and checks `service`'s database ahead of its start, so that no other service works if this one cannot.
    ///
    /// # Errors
    /// When the database cannot be opened; the error says what to do.
    pub async fn open_ahead(&self, service: Service, migrations: Migrations) -> Result<(), StoreError> {
        self.opened.keep(self.open(service, migrations).await?);
        Ok(())
    }

    async fn open(&self, service: Service, migrations: Migrations) -> Result<Store, StoreError> {
        let location = match &self.databases {
            Databases::Folder(folder) => Location::Sqlite(folder.join(format!("{service}.sqlite"))),
            Databases::Postgres(addresses) => {
                let address = addresses.get(&service).ok_or(StoreError::NoAddress { service })?;
                Location::Postgres(address.expose_secret().to_owned())
            }
        };
        let (clock, random) = (self.clock.clone(), self.random.clone());
        Store::open(service, &location, migrations, self.migrate, clock, random).await
    }

    /// Opens `service`'s database, unless that was done ahead, and starts the relay of its outbox; both end with the process.
    ///
    /// # Errors
    /// When the database cannot be opened; the error says what to do.
    pub async fn open_store(&self, service: Service, migrations: Migrations) -> Result<Store, StoreError> {
        let store = match self.opened.take(service) {
            Some(store) => store,
            None => self.open(service, migrations).await?,
        };
        store.restorable_for(self.restorable_for);
        let (relayed, bus) = (store.clone(), self.bus.clone());
        self.lifecycle.spawn(Stage::Relay, "relay", move |stop| store::relay(relayed, bus, stop));
        if let Some(way) = self.bus.second_way() {
            for consumer in live_consumers(service) {
                let (store, way) = (store.clone(), way.clone());
                let handing = move |stop| store::second_way(store, way, consumer, stop);
                self.lifecycle.spawn(Stage::Relay, "second way", handing);
            }
        }
        self.watch_owed(&store);
        let (kept, keys) = (store.clone(), self.keys.clone());
        self.lifecycle.spawn(Stage::Relay, "audit", move |stop| audit::keeper::run(kept, keys, stop));
        if self.bus.connected(service).is_some() {
            let (store, bus) = (store.clone(), self.bus.clone());
            self.lifecycle.spawn(Stage::Relay, "compared", move |stop| store::watch_compared(store, bus, stop));
        }
        self.watch_standing(&store);
        let closing = store.clone();
        self.lifecycle.on_close(service.name(), move || Box::pin(async move { closing.close().await }));
        Ok(store)
    }

    /// Shows whether `store` is whole and commits: the process is not ready while it does not, and an operator is told.
    fn watch_standing(&self, store: &Store) {
        let (probe, bus) = (Arc::new(Probe::new(store.clone())), self.bus.clone());
        let watched = probe.clone();
        self.lifecycle.spawn(Stage::Relay, "standing", move |stop| store::watch_standing(watched, bus, stop));
        self.health.check(format!("{} database", store.service()), move || {
            let probe = probe.clone();
            async move {
                probe.store().is_whole()?;
                probe.ask().await
            }
        });
    }

    /// Shows how long events of `store` have waited: the process is not ready while something live reaches nobody.
    fn watch_owed(&self, store: &Store) {
        let (late, seen) = watch::channel(Late::default());
        let (watched, service) = (store.clone(), store.service());
        self.lifecycle.spawn(Stage::Relay, "owed", move |stop| store::watch_owed(watched, late, stop));
        let unheard = seen.clone();
        self.health.check(format!("{service} events"), move || {
            let since = unheard.borrow().unheard;
            std::future::ready(since.map_or(Ok(()), |since| {
                Err(format!("a live event has not reached its reader since {since}: nobody may be paged about it"))
            }))
        });
        self.health.watch(format!("{service} outbox"), move || {
            let since = seen.borrow().owed;
            std::future::ready(since.map_or(Ok(()), |since| {
                Err(format!("no live event has left the database since {since}: look after the database if another check names it, else after NATS, which is started again once its full disk has room"))
            }))
        });
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
