//! The one writing task of a SQLite file: units that wait together share a commit, each in a savepoint of its own.
//! [`Jobs`] says which.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::oneshot;

use super::jobs::Jobs;
use super::{Job, Ran, Settled, not_committed, run_in, tell};
use crate::store::damage::Damage;
use crate::store::{StoreError, connect};

/// Units that have run and wait for the commit, with what they will be told.
type Waiting = Vec<(oneshot::Sender<Settled>, Settled)>;

/// Why a batch was not committed.
struct Failed {
    error: DbErr,
    /// Whether it was COMMIT itself that failed.
    committing: bool,
}

impl Failed {
    fn before_the_commit(error: DbErr) -> Self {
        Self { error, committing: false }
    }

    fn as_store_error(&self) -> StoreError {
        if self.committing { not_committed(&self.error) } else { StoreError::Unavailable(self.error.clone()) }
    }
}

/// Writes what comes until nothing can come any more.
pub(super) async fn write(damage: Arc<Damage>, file: PathBuf, connection: DatabaseConnection, mut jobs: Jobs) {
    let mut connection = Some(connection);
    while let Some(first) = jobs.begin().await {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            connection = match open(&file, connection).await {
                Ok(connection) => write_together(&damage, connection, job, &mut jobs).await,
                Err(error) => {
                    tell(&damage, "the database could not be opened again", &error);
                    turn_away(std::iter::once(job).chain(jobs.drain()), &error);
                    None
                }
            };
            // Those that would have shared the commit.
            next = if damage.is_met() { jobs.go_on() } else { None };
        }
    }
    if let Some(connection) = connection {
        empty_the_log(&connection).await;
        close(connection).await;
    }
}

/// Moves everything from the write-ahead log into the database file, so that the file alone is all there is.
async fn empty_the_log(connection: &DatabaseConnection) {
    if let Err(error) = connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await {
        tracing::warn!(
            error = crate::chain(&error),
            "the write-ahead log could not be emptied: keep it with the database file"
        );
    }
}

async fn open(file: &Path, connection: Option<DatabaseConnection>) -> Result<DatabaseConnection, DbErr> {
    match connection {
        Some(connection) => Ok(connection),
        None => connect::sqlite_writer_again(file).await,
    }
}

async fn close(connection: DatabaseConnection) {
    if let Err(error) = connection.close().await {
        tracing::warn!(error = crate::chain(&error), "the database did not close cleanly");
    }
}

/// Writes `first`, and what goes with it, in one commit and answers everybody. The connection comes back unless it must not
/// be used again.
async fn write_together(
    damage: &Damage,
    connection: DatabaseConnection,
    first: Job,
    jobs: &mut Jobs,
) -> Option<DatabaseConnection> {
    let (mut next, mut waiting) = (Some(first), Waiting::new());
    let committed = commit_together(damage, &connection, &mut next, jobs, &mut waiting).await;
    metrics::histogram!("store_units_per_commit").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
    match committed {
        Ok(()) => {
            for (settle, settled) in waiting {
                drop(settle.send(settled));
            }
            Some(connection)
        }
        Err(failed) => {
            tell(damage, "a commit failed: its connection is dropped and another one opened", &failed.error);
            close(connection).await;
            refuse(waiting, &failed);
            if !failed.committing && !damage.is_met() {
                turn_away(next.into_iter().chain(jobs.drain()), &failed.error);
            }
            None
        }
    }
}

/// Runs the units in their order and commits them. `next` is the one that comes next; it stays there when it was not run.
async fn commit_together(
    damage: &Damage,
    connection: &DatabaseConnection,
    next: &mut Option<Job>,
    jobs: &mut Jobs,
    waiting: &mut Waiting,
) -> Result<(), Failed> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let outer = connection.begin_with_options(options).await.map_err(Failed::before_the_commit)?;
    while let Some(job) = next.take() {
        run_one(&outer, job, waiting).await.map_err(Failed::before_the_commit)?;
        *next = if damage.is_met() { None } else { jobs.go_on() };
    }
    outer.commit().await.map_err(|error| Failed { error, committing: true })
}

/// Runs one unit in a savepoint and ends that.
async fn run_one(outer: &DatabaseTransaction, job: Job, waiting: &mut Waiting) -> Result<(), DbErr> {
    let Job { shared, origin, work, settle } = job;
    let savepoint = match outer.begin().await {
        Ok(savepoint) => savepoint,
        Err(error) => {
            waiting.push((settle, Settled::Failed(StoreError::Unavailable(error.clone()))));
            return Err(error);
        }
    };
    let (savepoint, ran) = run_in(savepoint, &shared, origin, work).await;
    let (settled, ended) = match ran {
        Ran::Done(result, effects) => (Settled::Committed(result, effects), savepoint.commit().await),
        Ran::Undone(settled) => (settled, savepoint.rollback().await),
        Ran::Lost(error, settled) => (settled, Err(error)),
    };
    waiting.push((settle, settled));
    ended
}

/// Tells those whose units ran that nothing was committed. A unit that had a reason of its own is told that.
fn refuse(waiting: Waiting, failed: &Failed) {
    for (settle, settled) in waiting {
        let settled = match settled {
            Settled::Committed(..) => Settled::Failed(failed.as_store_error()),
            own => own,
        };
        drop(settle.send(settled));
    }
}

/// Tells those whose units did not run why.
fn turn_away(jobs: impl Iterator<Item = Job>, error: &DbErr) {
    for job in jobs {
        drop(job.settle.send(Settled::Failed(StoreError::Unavailable(error.clone()))));
    }
}
