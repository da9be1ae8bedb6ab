//! The one writing task of SQLite, which lets many units share a commit; on PostgreSQL each unit has its own transaction.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::unit::{Effects, Origin};
use super::{Shared, StoreError, Unit};

/// Units that one commit may hold.
const BATCH: usize = 128;
/// Background units that one commit may hold: whoever comes meanwhile waits for no more than these.
const BACKGROUND: usize = 4;
/// Units of each kind that may wait; the next caller waits for a place.
const QUEUE: usize = 1_024;

#[derive(Debug)]
pub(super) enum Writer {
    Queued { queues: Mutex<Option<Queues>>, task: Mutex<Option<JoinHandle<()>>> },
    Direct { pool: DatabaseConnection },
}

/// Where units wait.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    first: mpsc::Sender<Job>,
    background: mpsc::Sender<Job>,
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
    origin: Origin,
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
        let (first, first_jobs) = mpsc::channel(QUEUE);
        let (background, background_jobs) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write(connection, Jobs { first: first_jobs, background: background_jobs }));
        Self::Queued { queues: Mutex::new(Some(Queues { first, background })), task: Mutex::new(Some(task)) }
    }

    pub(super) async fn run<T, E, F>(&self, shared: &Arc<Shared>, background: bool, work: F) -> Result<(T, Effects), E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T, E>> + Send + 'static,
    {
        let (settle, settled) = oneshot::channel();
        let job = Job { shared: shared.clone(), origin: Origin::current(), work: erase(work), settle };
        match self {
            Self::Queued { queues, .. } => {
                let queues = queues.lock().await.clone().ok_or(StoreError::Closed)?;
                let queue = if background { queues.background } else { queues.first };
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
            Self::Queued { queues, task } => {
                queues.lock().await.take();
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

/// The units that wait for the writing task.
struct Jobs {
    first: mpsc::Receiver<Job>,
    background: mpsc::Receiver<Job>,
}

impl Jobs {
    /// Fills `batch` with what waits, background units last and only a few. False once nothing can come any more.
    async fn next(&mut self, batch: &mut Vec<Job>) -> bool {
        tokio::select! {
            biased;
            taken = self.first.recv_many(batch, BATCH) => {
                if taken == 0 {
                    return self.background.recv_many(batch, BACKGROUND).await > 0;
                }
            }
            Some(job) = self.background.recv() => batch.push(job),
        }
        while batch.len() < BATCH
            && let Ok(job) = self.first.try_recv()
        {
            batch.push(job);
        }
        let most = (batch.len() + BACKGROUND).min(BATCH);
        while batch.len() < most
            && let Ok(job) = self.background.try_recv()
        {
            batch.push(job);
        }
        true
    }
}

async fn write(connection: DatabaseConnection, mut jobs: Jobs) {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.next(&mut batch).await {
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
                let settled = run_in(savepoint, &job.shared, job.origin, job.work).await;
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
        Ok(transaction) => run_in(transaction, &job.shared, job.origin, job.work).await,
        Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)) => Settled::Failed(StoreError::Closed),
        Err(error) => Settled::Failed(error.into()),
    };
    drop(job.settle.send(settled));
}

/// Runs a unit in its transaction or savepoint and commits that, or rolls it back.
async fn run_in(transaction: DatabaseTransaction, shared: &Shared, origin: Origin, work: Work) -> Settled {
    let mut unit = Unit::new(transaction, shared, origin);
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
