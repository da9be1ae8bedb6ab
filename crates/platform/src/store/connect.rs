//! Connections: one that writes and several that read on SQLite, one pool for both on PostgreSQL.

use std::time::Duration;

use lasegue_contracts::Service;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

use super::{Location, StoreError};

/// Readers of one SQLite file.
const SQLITE_READERS: u32 = 4;
/// Connections of one service replica to PostgreSQL: two replicas of each service fit in a server as it comes (100).
const POSTGRES_CONNECTIONS: u32 = 10;
/// What the server does about a replica that hangs or whose machine is gone: it gives up the replica's unit, whose locks
/// others wait for, and notices a dead connection within seconds instead of hours.
const POSTGRES_SESSION: [(&str, &str); 5] = [
    ("idle_in_transaction_session_timeout", "5s"),
    ("client_connection_check_interval", "2s"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
];
/// How long a statement waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Connections {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
}

pub(super) async fn connect(service: Service, location: &Location) -> Result<Connections, StoreError> {
    match location {
        Location::Sqlite(path) => {
            let url = format!("sqlite://{}", path.display());
            let writer = Database::connect(sqlite(&url, false)).await?;
            check_sqlite(service, &writer).await?;
            let reader = Database::connect(sqlite(&url, true)).await?;
            Ok(Connections { writer, reader })
        }
        Location::Postgres(url) => {
            let pool = Database::connect(postgres(service, url)).await?;
            check_postgres(service, &pool).await?;
            Ok(Connections { writer: pool.clone(), reader: pool })
        }
    }
}

fn sqlite(url: &str, read_only: bool) -> ConnectOptions {
    let mut options = common(url);
    let connections = if read_only { SQLITE_READERS } else { 1 };
    options.max_connections(connections).min_connections(1).idle_timeout(None).max_lifetime(None).map_sqlx_sqlite_opts(
        move |options| {
            let options = options.busy_timeout(BUSY_TIMEOUT).foreign_keys(true).read_only(read_only);
            if read_only {
                return options;
            }
            options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
        },
    );
    options
}

fn postgres(service: Service, url: &str) -> ConnectOptions {
    let mut options = common(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .set_schema_search_path(service.name())
        .set_application_name(format!("lasegue-{service}"))
        .map_sqlx_postgres_opts(|options| options.options(POSTGRES_SESSION));
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
