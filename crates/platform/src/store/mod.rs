//! A service's own database: state, outgoing events, inbox and timers change together or not at all.
//!
//! All writing goes through [`Store::commit`]; reading through [`Store::reader`]. The same code and the same migrations
//! serve SQLite (embedded) and PostgreSQL.

mod connect;
pub mod dead_letters;
pub(crate) mod inbox;
pub mod migrations;
pub mod outbox;
mod recovery;
mod relay;
pub mod timers;
mod unit;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::{Notify, mpsc};

pub use self::migrations::Migrations;
pub use self::relay::relay;
pub use self::unit::Unit;
use crate::clock::SharedClock;
use crate::random::SharedRandom;

/// Where a service's database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of its own, made when absent.
    Sqlite(PathBuf),
    /// `postgres://role@host/database`; the service's schema bears its name.
    Postgres(String),
}

/// Without the address, which may hold a password.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres"),
        }
    }
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed. Trying again may help.
    #[error("the database could not be read or written")]
    Database(#[from] DbErr),
    /// Somebody else changed the same thing since it was read: read it again and decide anew.
    #[error("the record was changed by somebody else in the meantime")]
    Conflict,
    /// The store is draining and takes no more work.
    #[error("the store is shutting down")]
    Closed,
    /// The database lacks migrations.
    #[error("the {service} database has {pending} pending migrations: run `lasegue migrate` first")]
    Pending {
        /// Whose database.
        service: Service,
        /// How many.
        pending: usize,
    },
    /// The database would lose acknowledged commits.
    #[error("the {service} database does not make commits durable ({setting}): {advice}")]
    NotDurable {
        /// Whose database.
        service: Service,
        /// What was found.
        setting: String,
        /// What to do.
        advice: &'static str,
    },
    /// The configuration names no database for the service.
    #[error("no address is configured for the {service} database: name one for each service that this process runs")]
    NoAddress {
        /// Whose database.
        service: Service,
    },
    /// A unit of work panicked and was rolled back.
    #[error("a unit of work failed unexpectedly and was rolled back")]
    Panicked,
    /// A stored value cannot be read back: the database was changed from outside or by a newer version.
    #[error("the {service} database holds a value that cannot be read: {what}")]
    Corrupt {
        /// Whose database.
        service: Service,
        /// Which value.
        what: String,
    },
}

/// A service's database, cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
    /// Its units give way to others'.
    background: bool,
}

#[derive(Debug)]
struct Shared {
    service: Service,
    reader: DatabaseConnection,
    writer: writer::Writer,
    clock: SharedClock,
    random: SharedRandom,
    /// Wakes the timers when one was set.
    timers: Notify,
    /// Hands fresh outbox rows to the relay; what does not fit is found by its sweep.
    fresh: mpsc::Sender<outbox::Outgoing>,
    /// Taken by the relay, once.
    to_relay: std::sync::Mutex<Option<mpsc::Receiver<outbox::Outgoing>>>,
}

/// How many fresh outbox rows may wait for the relay before it has to look for them in the database.
const FRESH_ROWS: usize = 4_096;

impl Store {
    /// Opens a service's database. With `migrate` it is brought up to date first, without it pending migrations refuse.
    ///
    /// # Errors
    /// When it cannot be reached, lacks migrations or does not make commits durable.
    pub async fn open(
        service: Service,
        location: &Location,
        migrations: Migrations,
        migrate: bool,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Result<Self, StoreError> {
        let connections = connect::connect(service, location).await?;
        migrations.settle(service, &connections.writer, migrate).await?;
        let (fresh, to_relay) = mpsc::channel(FRESH_ROWS);
        Ok(Self {
            background: false,
            shared: Arc::new(Shared {
                service,
                reader: connections.reader,
                writer: writer::Writer::start(connections.writer),
                clock,
                random,
                timers: Notify::new(),
                fresh,
                to_relay: std::sync::Mutex::new(Some(to_relay)),
            }),
        })
    }

    /// Brings a service's database up to date, and says how many migrations it lacked.
    ///
    /// # Errors
    /// When it cannot be reached, does not make commits durable, or a migration fails: then it is as before that one.
    pub async fn migrate(service: Service, location: &Location, migrations: Migrations) -> Result<usize, StoreError> {
        let connections = connect::connect(service, location).await?;
        let pending = migrations.pending(&connections.writer).await?;
        migrations.settle(service, &connections.writer, true).await?;
        connections.writer.close().await?;
        Ok(pending)
    }

    /// The same store for work that gives way to all other: imports and re-evaluations.
    #[must_use]
    pub fn background(&self) -> Self {
        Self { shared: self.shared.clone(), background: true }
    }

    /// The store for the work of `lane`: bulk work gives way.
    #[must_use]
    pub fn on(&self, lane: Lane) -> Self {
        match lane {
            Lane::Live => self.clone(),
            Lane::Bulk => self.background(),
        }
    }

    /// The service whose database this is.
    pub fn service(&self) -> Service {
        self.shared.service
    }

    /// Connections for reading only.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.shared.reader
    }

    /// The clock that this store stamps its rows with.
    pub fn clock(&self) -> &SharedClock {
        &self.shared.clock
    }

    /// The source of this store's ids.
    pub fn random(&self) -> &SharedRandom {
        &self.shared.random
    }

    /// Runs one unit of work: all of it is committed, or nothing. Events that it published leave right after the commit.
    ///
    /// On SQLite many units share one commit, each in its own savepoint, so keep a unit to database work: evaluate
    /// before, send after. A unit must not call `commit` again.
    ///
    /// # Errors
    /// What the unit returned, or the store's own error. Either way nothing of the unit stays.
    pub async fn commit<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T, E>> + Send + 'static,
    {
        let (result, effects) = self.shared.writer.run(&self.shared, self.background, work).await?;
        for outgoing in effects.outgoing {
            // A full or closed channel loses nothing: the row is in the database and the sweep finds it.
            let _ = self.shared.fresh.try_send(outgoing);
        }
        if effects.timers_set {
            self.shared.timers.notify_one();
        }
        Ok(result)
    }

    /// Waits for the units under way, then closes the database.
    pub async fn close(&self) {
        self.shared.writer.close().await;
        if let Err(error) = self.shared.reader.close_by_ref().await {
            tracing::warn!(service = %self.shared.service, %error, "the readers did not close cleanly");
        }
    }
}

/// How often a conflicting change is tried again before it is given back to the caller.
const CONFLICT_TRIES: usize = 64;

/// Runs `attempt` (read, decide, commit) again as long as it ends in [`StoreError::Conflict`].
///
/// # Errors
/// What the last attempt returned.
pub async fn retry_conflicts<T, E, F>(mut attempt: impl FnMut() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    E: AsStoreError,
{
    for _ in 1..CONFLICT_TRIES {
        match attempt().await {
            Err(error) if matches!(error.as_store_error(), Some(StoreError::Conflict)) => {
                tokio::task::yield_now().await;
            }
            settled => return settled,
        }
    }
    attempt().await
}

/// An error that may be the store's.
pub trait AsStoreError {
    /// The store's error in it.
    fn as_store_error(&self) -> Option<&StoreError>;
}

impl AsStoreError for StoreError {
    fn as_store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}
