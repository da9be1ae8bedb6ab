//! Copies of the SQLite files of one process, all of one instant, taken while it works.
//!
//! The services' files belong together: what one has sent another has handled. So a write lock on all of them marks the
//! instant; it is held only until each has a snapshot to read, and nobody waits while that is copied.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lasegue_contracts::Service;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use super::{StoreError, check, connect};

/// How many rows each table has.
pub type Tables = BTreeMap<String, i64>;

/// What is copied where.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Whose database.
    pub service: Service,
    /// The file in use.
    pub from: PathBuf,
    /// The file that is made.
    pub to: PathBuf,
}

/// Tables of which a new database has rows as well.
const OF_A_NEW_ONE: [&str; 2] = ["seaql_migrations", "access_head"];

/// Whether a database was made and nothing put into it yet.
pub fn is_new(tables: &Tables) -> bool {
    tables.iter().all(|(name, rows)| *rows == 0 || OF_A_NEW_ONE.contains(&name.as_str()))
}

/// Makes all `copies`, of one instant, and makes sure that each is whole.
///
/// # Errors
/// When a file cannot be read or written, or is damaged. What was made by then is to be thrown away.
pub async fn back_up(copies: &[Copy]) -> Result<BTreeMap<Service, Tables>, StoreError> {
    let mut snapshots = Vec::new();
    let instant = hold(copies).await?;
    for copy in copies {
        snapshots.push(Snapshot::take(copy).await?);
    }
    drop(instant);
    let mut made = BTreeMap::new();
    for (copy, snapshot) in copies.iter().zip(snapshots) {
        snapshot.write().await?;
        made.insert(copy.service, examine(copy.service, &copy.to).await?);
    }
    Ok(made)
}

/// Looks at every page of `file` and counts the rows of every table.
///
/// # Errors
/// When it cannot be read or is damaged.
pub async fn examine(service: Service, file: &Path) -> Result<Tables, StoreError> {
    let db = connect::sqlite_reader(file).await.map_err(|error| check::damaged_or(error, service, file))?;
    check::whole(service, file, &db).await?;
    let mut tables = Tables::new();
    for name in names(&db, "main", "table").await? {
        let count = number(&db, &format!("SELECT count(*) FROM main.{}", quoted(&name))).await?;
        tables.insert(name, count);
    }
    db.close().await?;
    Ok(tables)
}

/// Keeps everybody from committing into any of the files, as long as what it gives is held.
async fn hold(copies: &[Copy]) -> Result<Option<DatabaseTransaction>, StoreError> {
    let Some((first, others)) = copies.split_first() else { return Ok(None) };
    let db = connect::sqlite_writer_again(&first.from).await?;
    for copy in others {
        attach(&db, &copy.from, copy.service.name()).await?;
    }
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    Ok(Some(db.begin_with_options(options).await?))
}

/// A file as it is at one instant, attached to the new file that it is written into.
struct Snapshot {
    db: DatabaseConnection,
    transaction: DatabaseTransaction,
}

impl Snapshot {
    async fn take(copy: &Copy) -> Result<Self, StoreError> {
        let db = connect::sqlite_copy(&copy.to).await?;
        attach(&db, &copy.from, "source").await?;
        let transaction = db.begin().await?;
        number(&transaction, "SELECT count(*) FROM source.sqlite_schema").await?;
        Ok(Self { db, transaction })
    }

    async fn write(self) -> Result<(), StoreError> {
        let Self { db, transaction } = self;
        for table in names(&transaction, "source", "table").await? {
            create(&transaction, "table", &table).await?;
            let table = quoted(&table);
            transaction.execute_unprepared(&format!("INSERT INTO main.{table} SELECT * FROM source.{table}")).await?;
        }
        if number(&transaction, "SELECT count(*) FROM source.sqlite_schema WHERE name = 'sqlite_sequence'").await? > 0 {
            let sequences = "DELETE FROM main.sqlite_sequence; INSERT INTO main.sqlite_sequence SELECT * FROM source.sqlite_sequence";
            transaction.execute_unprepared(sequences).await?;
        }
        for kind in ["index", "view", "trigger"] {
            for name in names(&transaction, "source", kind).await? {
                create(&transaction, kind, &name).await?;
            }
        }
        transaction.commit().await?;
        Ok(db.close().await?)
    }
}

async fn create(db: &impl ConnectionTrait, kind: &str, name: &str) -> Result<(), StoreError> {
    let sql = "SELECT sql FROM source.sqlite_schema WHERE type = ? AND name = ?";
    let asked = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [kind.into(), name.into()]);
    if let Some(row) = db.query_one_raw(asked).await? {
        db.execute_unprepared(&row.try_get_by_index::<String>(0)?).await?;
    }
    Ok(())
}

/// The names of what was made in `schema` by a statement, in the order in which it was.
async fn names(db: &impl ConnectionTrait, schema: &str, kind: &str) -> Result<Vec<String>, StoreError> {
    let made = "sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let sql = format!("SELECT name FROM {schema}.sqlite_schema WHERE type = '{kind}' AND {made} ORDER BY rowid");
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> Result<i64, StoreError> {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get_by_index(0))?)
}

async fn attach(db: &DatabaseConnection, file: &Path, name: &str) -> Result<(), StoreError> {
    let path = file.display().to_string().replace('\'', "''");
    db.execute_unprepared(&format!("ATTACH DATABASE '{path}' AS {}", quoted(name))).await?;
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
