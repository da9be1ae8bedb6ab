//! Connections: one that writes and several that read on SQLite, one pool for both on PostgreSQL.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_contracts::Service;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection, PgConnection};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement, TransactionTrait};

use super::check;
use super::damage::Damage;
use super::fault;
use super::places::{Away, Places};
use super::pool::Pool;
use super::reader::Reader;
use super::trust::Trust;
use super::writer::Writer;
use super::writer::postgres::Server;
use super::{Location, StoreError};
use crate::chain::chain;
use crate::clock::SharedClock;

/// Readers of one SQLite file.
const SQLITE_READERS: u32 = 4;
/// Connections of one service replica to PostgreSQL: two replicas of each service fit in a server as it comes (100), and
/// in what deploy/postgres/limits.sql lets each role have.
const POSTGRES_CONNECTIONS: u32 = 10;
/// What the server does about a replica that hangs or whose machine is gone: it gives up the replica's unit, whose locks
/// others wait for, and notices a dead connection within seconds instead of hours.
const POSTGRES_SESSION: [(&str, &str); 6] = [
    ("idle_in_transaction_session_timeout", "5s"),
    // Longer than anybody waits for an answer: what was given up must not wait on for a lock, with its connection.
    ("statement_timeout", "10s"),
    ("client_connection_check_interval", "2s"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
];
/// Those of them that units of work have, that background units have among these, and that reading has.
const POSTGRES_UNITS: u32 = 6;
const POSTGRES_BACKGROUND: u32 = 2;
const POSTGRES_READERS: u32 = POSTGRES_CONNECTIONS - POSTGRES_UNITS;
/// How long whoever has a place waits for its connection: as long as it may take to make one. Only a server that is away
/// needs longer, and callers are to learn that within two seconds.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How long a process that starts waits for a server that is away or too busy to answer, and between two tries.
const START_WITHIN: Duration = Duration::from_secs(30);
const START_AGAIN: Duration = Duration::from_millis(500);
/// How long SQLite waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Connections {
    pub(super) writer: DatabaseConnection,
    reader: DatabaseConnection,
    /// How connections to a server are made.
    options: Option<ConnectOptions>,
    trust: Arc<Trust>,
}

impl Connections {
    /// Gives reading and writing their places; what reads in the background comes second.
    pub(super) fn put_to_use(self, damage: &Arc<Damage>, location: &Location) -> ([Reader; 2], Writer) {
        let away = Away::new();
        let pool = Arc::new(Pool::new(self.reader, self.options));
        match location {
            Location::Sqlite(file) => {
                let readers = Reader::new(&pool, SQLITE_READERS, &away, damage);
                (readers, Writer::queued(damage.clone(), file.clone(), self.writer))
            }
            Location::Postgres(_) => {
                let server = Server {
                    damage: damage.clone(),
                    pool: pool.clone(),
                    units: Places::new(POSTGRES_UNITS, &away),
                    background: Places::new(POSTGRES_BACKGROUND, &away),
                    trust: self.trust,
                };
                (Reader::new(&pool, POSTGRES_READERS, &away, damage), Writer::direct(server))
            }
        }
    }
}

/// Connects as a process does that starts: together with its server after a power cut, it waits for that one. All of the
/// connections are made: a server that many processes ask for theirs at once takes longer than a caller is to wait.
pub(super) async fn connect_at_start(
    service: Service,
    location: &Location,
    clock: &SharedClock,
) -> Result<Connections, StoreError> {
    let Location::Postgres(url) = location else { return connect(service, location).await };
    let until = clock.now() + START_WITHIN;
    let connections = patiently(service, url, clock, until, || connect(service, location)).await?;
    patiently(service, url, clock, until, || fill(&connections.writer)).await?;
    Ok(connections)
}

/// Does `attempt` until `until`, as long as the server is away or too busy.
async fn patiently<T, F>(
    service: Service,
    url: &str,
    clock: &SharedClock,
    until: DateTime<Utc>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        let error = match attempt().await {
            Err(StoreError::Unavailable(error)) => why(service, url, error).await,
            settled => return settled,
        };
        if clock.now() >= until {
            return Err(error);
        }
        tracing::warn!(%service, error = %chain(&error), "the database cannot be used yet: asked again");
        clock.sleep(START_AGAIN).await;
    }
}

/// Why a pool got no connection. It asks a server again that has none to give, and when it gives up says only that.
async fn why(service: Service, url: &str, error: DbErr) -> StoreError {
    let alone = tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect(url)).await;
    match alone {
        Ok(Err(alone)) if fault::is_crowded(&alone) => StoreError::Crowded { service },
        _ => StoreError::Unavailable(error),
    }
}

/// Holds every connection of a pool for a moment. They are made one after the other, and what was made of them stays when
/// the next fails: on a machine that is too busy to make all of them in time, each attempt comes further.
async fn fill(pool: &DatabaseConnection) -> Result<(), StoreError> {
    let mut held = Vec::new();
    for _ in 0..POSTGRES_CONNECTIONS {
        held.push(pool.begin().await?);
    }
    Ok(())
}

pub(super) async fn connect(service: Service, location: &Location) -> Result<Connections, StoreError> {
    let trust = Arc::new(Trust::default());
    match location {
        Location::Sqlite(path) => {
            let writer = Database::connect(sqlite(path, Access::Create)).await;
            let writer = writer.map_err(|error| check::damaged_or(error, service, path))?;
            check_sqlite(service, &writer).await?;
            check::whole(service, path, &writer).await?;
            let reader = Database::connect(sqlite(path, Access::Read)).await?;
            Ok(Connections { writer, reader, options: None, trust })
        }
        Location::Postgres(url) => {
            let options = postgres(service, url, trust.clone());
            let pool = Database::connect(options.clone()).await.map_err(|error| {
                if fault::is_sign_in(&error) { StoreError::SignIn { service } } else { error.into() }
            })?;
            check_postgres(service, &pool).await?;
            Ok(Connections { writer: pool.clone(), reader: pool, options: Some(options), trust })
        }
    }
}

/// A connection for reading what a service has, which may run.
pub(crate) async fn connect_to_read(service: Service, location: &Location) -> Result<DatabaseConnection, StoreError> {
    match location {
        Location::Sqlite(path) => {
            let reader = Database::connect(sqlite(path, Access::Read)).await;
            reader.map_err(|error| check::damaged_or(error, service, path))
        }
        Location::Postgres(_) => Ok(connect(service, location).await?.writer),
    }
}

/// Another writing connection to a file that was open before: were it gone, an empty one would not be the same.
pub(super) async fn sqlite_writer_again(path: &Path) -> Result<DatabaseConnection, DbErr> {
    Database::connect(sqlite(path, Access::Write)).await
}

/// A connection that reads a file nobody else may have open.
pub(super) async fn sqlite_reader(path: &Path) -> Result<DatabaseConnection, DbErr> {
    Database::connect(sqlite(path, Access::Read)).await
}

/// A connection to a new file that is to be a copy of another: its rows come in any order, and no log is beside it.
pub(super) async fn sqlite_copy(path: &Path) -> Result<DatabaseConnection, DbErr> {
    Database::connect(sqlite(path, Access::Copy)).await
}

/// What a connection to a SQLite file is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    /// Writing into a file that is made when absent.
    Create,
    /// Writing a copy.
    Copy,
}

fn sqlite(path: &Path, access: Access) -> ConnectOptions {
    let mut options = common(&format!("sqlite://{}", path.display()));
    let read_only = access == Access::Read;
    let connections = if read_only { SQLITE_READERS } else { 1 };
    options.max_connections(connections).min_connections(1).idle_timeout(None).max_lifetime(None).map_sqlx_sqlite_opts(
        move |options| {
            // Savepoints and sorting spill into memory: there may be no folder for temporary files, or none with room.
            let options = options.pragma("temp_store", "memory");
            let options = options.busy_timeout(BUSY_TIMEOUT).foreign_keys(true).read_only(read_only);
            if read_only {
                return options;
            }
            if access == Access::Copy {
                return options.create_if_missing(true).foreign_keys(false).journal_mode(SqliteJournalMode::Delete);
            }
            let options = options.create_if_missing(access == Access::Create);
            options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
        },
    );
    options
}

fn postgres(service: Service, url: &str, trust: Arc<Trust>) -> ConnectOptions {
    let mut options = common(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .set_schema_search_path(service.name())
        .set_application_name(format!("lasegue-{service}"))
        .map_sqlx_postgres_opts(|options| options.options(POSTGRES_SESSION))
        .map_sqlx_postgres_before_acquire(move |_, connection| {
            let trusted = trust.holds(connection.age);
            Box::pin(async move { Ok(trusted) })
        });
    options
}

fn common(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    options
}

async fn check_sqlite(service: Service, connection: &DatabaseConnection) -> Result<(), StoreError> {
    let advice = "put the data folder on a local disk that supports write-ahead logging";
    expect_setting(service, connection, "PRAGMA journal_mode", "journal_mode", &["wal"], advice).await?;
    expect_setting(service, connection, "PRAGMA synchronous", "synchronous", &["2", "3"], advice).await
}

async fn check_postgres(service: Service, connection: &DatabaseConnection) -> Result<(), StoreError> {
    let advice = "set fsync = on and synchronous_commit = on in postgresql.conf";
    expect_setting(service, connection, "SHOW fsync", "fsync", &["on"], advice).await?;
    let durable = &["on", "remote_apply", "remote_write", "local"];
    expect_setting(service, connection, "SHOW synchronous_commit", "synchronous_commit", durable, advice).await
}

async fn expect_setting(
    service: Service,
    connection: &DatabaseConnection,
    question: &str,
    name: &str,
    wanted: &[&str],
    advice: &'static str,
) -> Result<(), StoreError> {
    let statement = Statement::from_string(connection.get_database_backend(), question);
    let row = connection.query_one_raw(statement).await?;
    let found = match row {
        Some(row) => {
            row.try_get_by_index::<String>(0).or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))?
        }
        None => "nothing".to_owned(),
    };
    if wanted.contains(&found.as_str()) {
        return Ok(());
    }
    Err(StoreError::NotDurable { service, setting: format!("{name} is {found}"), advice })
}
