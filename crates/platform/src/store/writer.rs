//! The one writing task of SQLite, which lets many units share a commit; on PostgreSQL each unit has its own transaction.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::unit::Effects;
use super::{Shared, StoreError, Unit};
use crate::telemetry::TraceContext;

/// Units that one commit may hold.
const BATCH: usize = 128;
/// Units that may wait; the next caller waits for a place.
const QUEUE: usize = 1_024;

#[derive(Debug)]
pub(super) enum Writer {
    Queued { queue: Mutex<Option<mpsc::Sender<Job>>>, task: Mutex<Option<JoinHandle<()>>> },
    Direct { pool: DatabaseConnection },
}

/// A unit of work whose types are erased. `Ok` holds its result, to be handed over once committed.
type Work = Box<dyn for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<Outcome, Outcome>> + Send>;
type Outcome = Box<dyn Any + Send>;

/// What became of a unit: its result and effects, its own error, or the store's.
enum Settled {
    Committed(Outcome, Effects),
    Refused(Outcome),
    Failed(StoreError),
}

pub(super) struct Job {
    shared: Arc<Shared>,
    trace: TraceContext,
    work: Work,
    settle: oneshot::Sender<Settled>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Writer {
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        if connection.get_database_backend() != DbBackend::Sqlite {
            return Self::Direct { pool: connection };
        }
        let (queue, jobs) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write(connection, jobs));
        Self::Queued { queue: Mutex::new(Some(queue)), task: Mutex::new(Some(task)) }
    }

    pub(super) async fn run<T, E, F>(&self, shared: &Arc<Shared>, work: F) -> Result<(T, Effects), E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T, E>> + Send + 'static,
    {
        let (settle, settled) = oneshot::channel();
        let job = Job { shared: shared.clone(), trace: TraceContext::current(), work: erase(work), settle };
        match self {
            Self::Queued { queue, .. } => {
                let queue = queue.lock().await.clone().ok_or(StoreError::Closed)?;
                queue.send(job).await.map_err(|_| StoreError::Closed)?;
            }
            Self::Direct { pool } => {
                // Its own task: a caller that gives up half-way must not leave a transaction open.
                tokio::spawn(write_one(pool.clone(), job));
            }
        }
        match settled.await.map_err(|_| StoreError::Closed)? {
            Settled::Committed(result, effects) => Ok((restore(result), effects)),
            Settled::Refused(error) => Err(restore(error)),
            Settled::Failed(error) => Err(error.into()),
        }
    }

    pub(super) async fn close(&self) {
        let closed = match self {
            Self::Queued { queue, task } => {
                queue.lock().await.take();
                match task.lock().await.take() {
                    Some(task) => task.await.map_err(|error| error.to_string()),
                    None => Ok(()),
                }
            }
            Self::Direct { pool } => pool.close_by_ref().await.map_err(|error| error.to_string()),
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "the writer did not close cleanly");
        }
    }
}

fn erase<T, E, F>(work: F) -> Work
where
    T: Send + 'static,
    E: Send + 'static,
    F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T, E>> + Send + 'static,
{
    Box::new(move |unit| {
        Box::pin(work(unit).map(|outcome| match outcome {
            Ok(result) => Ok(Box::new(result) as Outcome),
            Err(error) => Err(Box::new(error) as Outcome),
        }))
    })
}

fn restore<T: 'static>(outcome: Outcome) -> T {
    *outcome.downcast().expect("a job returns what its own caller put in")
}

async fn write(connection: DatabaseConnection, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        metrics::histogram!("store_units_per_commit").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        write_batch(&connection, &mut batch).await;
    }
    if let Err(error) = connection.close_by_ref().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

async fn write_batch(connection: &DatabaseConnection, batch: &mut Vec<Job>) {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let outer = match connection.begin_with_options(options).await {
        Ok(outer) => outer,
        Err(error) => return fail_all(batch.drain(..).map(|job| job.settle), &error),
    };
    let mut waiting = Vec::with_capacity(batch.len());
    for job in batch.drain(..) {
        match outer.begin().await {
            Ok(savepoint) => {
                let settled = run_in(savepoint, &job.shared, job.trace, job.work).await;
                waiting.push((job.settle, settled));
            }
            Err(error) => waiting.push((job.settle, Settled::Failed(error.into()))),
        }
    }
    match outer.commit().await {
        Ok(()) => waiting.into_iter().for_each(|(settle, settled)| drop(settle.send(settled))),
        Err(error) => fail_all(waiting.into_iter().map(|(settle, _)| settle), &error),
    }
}

async fn write_one(pool: DatabaseConnection, job: Job) {
    let settled = match pool.begin().await {
        Ok(transaction) => run_in(transaction, &job.shared, job.trace, job.work).await,
        Err(error) => Settled::Failed(error.into()),
    };
    drop(job.settle.send(settled));
}

/// Runs a unit in its transaction or savepoint and commits that, or rolls it back.
async fn run_in(transaction: DatabaseTransaction, shared: &Shared, trace: TraceContext, work: Work) -> Settled {
    let mut unit = Unit::new(transaction, shared, trace);
    let outcome = AssertUnwindSafe(work(&mut unit)).catch_unwind().await;
    let (transaction, effects) = unit.into_parts();
    let (ending, settled) = match outcome {
        Ok(Ok(result)) => (transaction.commit().await, Settled::Committed(result, effects)),
        Ok(Err(error)) => (transaction.rollback().await, Settled::Refused(error)),
        Err(_) => (transaction.rollback().await, Settled::Failed(StoreError::Panicked)),
    };
    match ending {
        Ok(()) => settled,
        Err(error) => Settled::Failed(error.into()),
    }
}

fn fail_all(waiting: impl Iterator<Item = oneshot::Sender<Settled>>, error: &DbErr) {
    for settle in waiting {
        drop(settle.send(Settled::Failed(StoreError::Database(DbErr::Custom(error.to_string())))));
    }
}
