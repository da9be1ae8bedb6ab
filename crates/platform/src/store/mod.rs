//! A service's own database: state, outgoing events, inbox and timers change together or not at all.
//!
//! All writing goes through [`Store::commit`]; reading through [`Store::reader`]. The same code and the same migrations
//! serve SQLite (embedded) and PostgreSQL.

pub mod backup;
mod check;
mod compared;
mod connect;
mod damage;
mod db;
pub mod dead_letters;
mod failures;
mod fault;
pub(crate) mod inbox;
pub mod migrations;
pub mod outbox;
mod owed;
mod places;
mod pool;
mod probe;
mod reader;
mod recovery;
mod relay;
mod second_way;
mod standing;
pub mod timers;
mod trouble;
mod trust;
mod unit;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use tokio::sync::{Notify, mpsc, watch};

pub use self::compared::watch_compared;
pub(crate) use self::connect::connect_to_read;
use self::damage::Damage;
pub use self::db::Db;
use self::failures::Failures;
use self::fault::Fault;
pub use self::migrations::Migrations;
pub use self::owed::{Late, watch_owed};
pub(crate) use self::probe::Probe;
pub use self::reader::Reader;
pub use self::relay::{RESTORABLE_FOR, relay};
pub use self::second_way::second_way;
pub use self::standing::Standing;
pub(crate) use self::standing::watch_standing;
pub use self::unit::Unit;
use self::writer::Failed;
use crate::audit::Trail;
use crate::clock::SharedClock;
use crate::consume::Replays;
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
    /// A statement failed. The database is well, and trying the same again does not help.
    #[error("the database could not carry out a statement")]
    Database(#[source] DbErr),
    /// The database is away, full, read-only or damaged. Nothing of the unit was stored; trying again may help.
    #[error("the database cannot be read or written now, and nothing was stored")]
    Unavailable(#[source] DbErr),
    /// The database did not answer COMMIT: the unit may have been stored or not. Ask what is there, or do it again in a way
    /// that has no effect twice.
    #[error("the database did not say whether it stored this: it may or may not have been stored")]
    Unknown(#[source] DbErr),
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
    /// Migrations waited in vain for somebody else who holds what they would change.
    #[error(
        "another session has held the {service} schema for {} s: a `lasegue migrate` that works still or hangs, or a dump. Let it end, or end it (docs/operations.md, Upgrading, says how to find it), then run `lasegue migrate` again",
        migrations::turn::PATIENCE.as_secs()
    )]
    Held {
        /// Whose database.
        service: Service,
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
    /// The file of a SQLite database is damaged.
    #[error("the {service} database {} is damaged ({what}): put a backup of the data folder in its place with `lasegue restore --replace`, which keeps the damaged one aside", file.display())]
    Damaged {
        /// Whose database.
        service: Service,
        /// Where it is.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// The configuration names no database for the service.
    #[error("no address is configured for the {service} database: name one for each service that this process runs")]
    NoAddress {
        /// Whose database.
        service: Service,
    },
    /// PostgreSQL refused the role or its password.
    #[error(
        "PostgreSQL refuses the password of its role {service}: let `postgres-{service}` in the secrets of this process hold the one that the role has, or give the role that one with ALTER ROLE (docs/operations.md, Secrets)"
    )]
    SignIn {
        /// Whose database.
        service: Service,
    },
    /// PostgreSQL gives the role no further connection.
    #[error(
        "PostgreSQL gives the role {service} no further connection: let another replica of it end, or raise the CONNECTION LIMIT of the role and max_connections of the server by 20 for each replica (docs/operations.md, What runs)"
    )]
    Crowded {
        /// Whose database.
        service: Service,
    },
    /// A unit of work panicked and was rolled back.
    #[error("a unit of work failed unexpectedly and was rolled back")]
    Panicked,
    /// An event is larger than any may be. Trying again cannot help.
    #[error("an event {event} would have {bytes} bytes, more than the {most} that a bus takes: nothing was changed")]
    EventTooLarge {
        /// The event's name.
        event: &'static str,
        /// How many it would have.
        bytes: usize,
        /// How many it may have.
        most: usize,
    },
    /// A stored value cannot be read back: the database was changed from outside or by a newer version.
    #[error("the {service} database holds a value that cannot be read: {what}")]
    Corrupt {
        /// Whose database.
        service: Service,
        /// Which value.
        what: String,
    },
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match Fault::of(&error) {
            Fault::Statement => Self::Database(error),
            Fault::Entangled => Self::Conflict,
            Fault::Away | Fault::Broken => Self::Unavailable(error),
            Fault::Closed => Self::Closed,
        }
    }
}

/// A service's database, cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
    /// Its units give way to others'.
    background: bool,
    /// Its units only try whether the database commits: that one of them fails is no news of the others.
    probes: bool,
}

#[derive(Debug)]
struct Shared {
    service: Service,
    reader: Reader,
    background_reader: Reader,
    damage: Arc<Damage>,
    /// Units that the database failed.
    failures: Failures,
    standing: watch::Sender<Standing>,
    writer: writer::Writer,
    clock: SharedClock,
    random: SharedRandom,
    /// Wakes the timers when one was set.
    timers: Notify,
    /// How old a backup may be when it is restored.
    restorable: OnceLock<Duration>,
    /// Hands fresh outbox rows to the relay; what does not fit is found by its sweep.
    fresh: mpsc::Sender<outbox::Outgoing>,
    /// The consumers that can handle a dead letter again.
    replays: Replays,
    /// What is to be written about its calls.
    trail: Trail,
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
        let connections = connect::connect_at_start(service, location, &clock).await?;
        migrations.settle(service, &connections.writer, migrate).await?;
        let (fresh, to_relay) = mpsc::channel(FRESH_ROWS);
        let damage = Arc::new(Damage::none(service, location));
        let ([reader, background_reader], writer) = connections.put_to_use(&damage, location);
        Ok(Self {
            background: false,
            probes: false,
            shared: Arc::new(Shared {
                service,
                reader,
                background_reader,
                damage,
                failures: Failures::default(),
                standing: watch::Sender::default(),
                writer,
                clock,
                random,
                timers: Notify::new(),
                restorable: OnceLock::new(),
                fresh,
                replays: Replays::default(),
                trail: Trail::default(),
                to_relay: std::sync::Mutex::new(Some(to_relay)),
            }),
        })
    }

    /// Brings a service's database up to date, and says how many migrations it lacked.
    ///
    /// # Errors
    /// When it cannot be reached, does not make commits durable, somebody else holds it, or a migration fails: then it is as
    /// before that one.
    pub async fn migrate(service: Service, location: &Location, migrations: Migrations) -> Result<usize, StoreError> {
        let connections = connect::connect(service, location).await?;
        let pending = migrations.pending(&connections.writer).await?;
        migrations.settle(service, &connections.writer, true).await?;
        connections.writer.close().await?;
        Ok(pending)
    }

    /// The same store for work that gives way to all other, in reading and writing: imports and re-evaluations. Compute it
    /// [in the background](crate::background), too.
    #[must_use]
    pub fn background(&self) -> Self {
        Self { background: true, ..self.clone() }
    }

    /// The same store for trying whether the database commits.
    fn probing(&self) -> Self {
        Self { probes: true, ..self.clone() }
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

    /// Keeps what is needed to restore a backup of a reader that is as old as `span`. The first to say so decides.
    pub fn restorable_for(&self, span: Duration) {
        let _ = self.shared.restorable.set(span);
    }

    fn restorable(&self) -> Duration {
        *self.shared.restorable.get_or_init(|| RESTORABLE_FOR)
    }

    /// Whether no other process writes into this database.
    fn is_sole_writer(&self) -> bool {
        self.shared.reader.get_database_backend() == DbBackend::Sqlite
    }

    /// Connections for reading only.
    pub fn reader(&self) -> &Reader {
        if self.background { &self.shared.background_reader } else { &self.shared.reader }
    }

    /// The clock that this store stamps its rows with.
    pub fn clock(&self) -> &SharedClock {
        &self.shared.clock
    }

    /// Nothing as long as no damage was met in the database, otherwise a sentence for an operator.
    pub(crate) fn is_whole(&self) -> Result<(), String> {
        self.shared.damage.is_whole()
    }

    /// Whether units have failed so lately for the database's sake that more may.
    fn failures_may_go_on(&self, now: DateTime<Utc>) -> bool {
        self.shared.failures.may_go_on(now)
    }

    /// How it stands with the database, as [`crate::Base`] watches it.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.shared.standing.subscribe()
    }

    fn show(&self, standing: Standing) {
        self.shared.standing.send_if_modified(|shown| std::mem::replace(shown, standing) != standing);
    }

    /// The consumers of this service that are at work in this process.
    pub(crate) fn replays(&self) -> &Replays {
        &self.shared.replays
    }

    /// What is to be written about this service's calls.
    pub(crate) fn trail(&self) -> &Trail {
        &self.shared.trail
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
        let ran = self.shared.writer.run(&self.shared, self.background, work).await;
        let (result, effects) = ran.map_err(|failed| self.noted(failed))?;
        for outgoing in effects.outgoing {
            // A full or closed channel loses nothing: the row is in the database and the sweep finds it.
            let _ = self.shared.fresh.try_send(outgoing);
        }
        if effects.timers_set {
            self.shared.timers.notify_one();
        }
        if let Some(access) = effects.accounted {
            access.was_kept();
        }
        Ok(result)
    }

    /// The unit's error. Damage is told of as such.
    fn noted<E>(&self, failed: Failed<E>) -> E {
        if failed.of_database && !self.probes && !self.shared.damage.is_met() {
            self.shared.failures.note(self.clock().now());
        }
        failed.error
    }

    /// Waits for the units under way, then closes the database.
    pub async fn close(&self) {
        self.shared.writer.close().await;
        if let Err(error) = self.shared.reader.close().await {
            tracing::warn!(service = %self.shared.service, error = crate::chain(&error), "the readers did not close cleanly");
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
