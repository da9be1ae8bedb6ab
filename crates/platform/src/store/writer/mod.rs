//! How units reach the database: on SQLite through one writing task, which lets many of them share a commit; on PostgreSQL
//! each has a transaction of its own.
//!
//! A caller is told "committed" once the database has said so; "unavailable" when nothing of the unit can have stayed; and
//! "unknown" when the answer to COMMIT was lost. A connection on which a transaction could not be begun or ended is never
//! used again: it might be inside that transaction still, and everything later would be lost with it.

mod jobs;
pub(super) mod postgres;
mod sqlite;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use self::jobs::Jobs;
use self::postgres::Server;
use super::damage::Damage;
use super::fault::Fault;
use super::unit::{Effects, Origin};
use super::{Shared, StoreError, Unit};

/// Units of each kind that may wait; the next caller waits for a place.
const QUEUE: usize = 1_024;

#[derive(Debug)]
pub(super) enum Writer {
    Queued { queues: Mutex<Option<Queues>>, task: Mutex<Option<JoinHandle<()>>> },
    Direct { server: Arc<Server> },
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

/// What became of a unit: its result and effects, its own error, its own because the database failed it, or the store's.
enum Settled {
    Committed(Outcome, Effects),
    Refused(Outcome),
    Lost(Outcome),
    Failed(StoreError),
}

/// Why nothing of a unit stays.
#[derive(Debug)]
pub(super) struct Failed<E> {
    pub(super) error: E,
    /// The database failed it: another unit may fare no better.
    pub(super) of_database: bool,
}

impl<E: From<StoreError>> From<StoreError> for Failed<E> {
    fn from(error: StoreError) -> Self {
        let of_database = matches!(error, StoreError::Unavailable(_) | StoreError::Unknown(_));
        Self { error: error.into(), of_database }
    }
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
    /// The writing task of a SQLite file, on `connection` until that fails.
    pub(super) fn queued(damage: Arc<Damage>, file: PathBuf, connection: DatabaseConnection) -> Self {
        let (first, first_jobs) = mpsc::channel(QUEUE);
        let (background, background_jobs) = mpsc::channel(QUEUE);
        let jobs = Jobs::new(first_jobs, background_jobs);
        let task = tokio::spawn(sqlite::write(damage, file, connection, jobs));
        Self::Queued { queues: Mutex::new(Some(Queues { first, background })), task: Mutex::new(Some(task)) }
    }

    /// Transactions side by side on a server.
    pub(super) fn direct(server: Server) -> Self {
        Self::Direct { server: Arc::new(server) }
    }

    pub(super) async fn run<T, E, F>(
        &self,
        shared: &Arc<Shared>,
        background: bool,
        work: F,
    ) -> Result<(T, Effects), Failed<E>>
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
            Self::Direct { server } => {
                // Its own task: a caller that gives up half-way must not leave a transaction open.
                let server = server.clone();
                tokio::spawn(async move { server.write(background, job).await });
            }
        }
        match settled.await.map_err(|_| StoreError::Closed)? {
            Settled::Committed(result, effects) => Ok((restore(result), effects)),
            Settled::Refused(error) => Err(Failed { error: restore(error), of_database: false }),
            Settled::Lost(error) => Err(Failed { error: restore(error), of_database: true }),
            Settled::Failed(error) => Err(error.into()),
        }
    }

    pub(super) async fn close(&self) {
        let closed = match self {
            Self::Queued { queues, task } => {
                queues.lock().await.take();
                match task.lock().await.take() {
                    Some(task) => task.await.map_err(|error| crate::chain(&error)),
                    None => Ok(()),
                }
            }
            Self::Direct { server } => {
                server.pool.current().connections.close().await.map_err(|error| crate::chain(&error))
            }
        };
        if let Err(error) = closed {
            tracing::warn!(error, "the writer did not close cleanly");
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

/// What became of a unit before its transaction was ended.
enum Ran {
    /// It is to be committed.
    Done(Outcome, Effects),
    /// It is to be rolled back, for its own reason.
    Undone(Settled),
    /// A statement took the transaction with it; the unit may have had a reason of its own.
    Lost(DbErr, Settled),
}

/// Runs a unit in `transaction`, and gives that back for its end.
async fn run_in(
    transaction: DatabaseTransaction,
    shared: &Shared,
    origin: Origin,
    work: Work,
) -> (DatabaseTransaction, Ran) {
    let mut unit = Unit::new(transaction, shared, origin);
    let outcome = AssertUnwindSafe(work(&mut unit)).catch_unwind().await;
    let (transaction, lost, effects) = unit.into_parts();
    let ran = match (outcome, lost) {
        (Ok(Ok(_)), Some(error)) => Ran::Lost(error.clone(), Settled::Failed(error.into())),
        (Ok(Err(own)), Some(error)) => Ran::Lost(error, Settled::Lost(own)),
        (Err(_), Some(error)) => Ran::Lost(error, Settled::Failed(StoreError::Panicked)),
        (Ok(Ok(result)), None) => Ran::Done(result, effects),
        (Ok(Err(own)), None) => Ran::Undone(Settled::Refused(own)),
        (Err(_), None) => Ran::Undone(Settled::Failed(StoreError::Panicked)),
    };
    (transaction, ran)
}

/// What a failed COMMIT means for its units.
fn not_committed(error: &DbErr) -> StoreError {
    match Fault::of(error) {
        Fault::Broken => StoreError::Unknown(error.clone()),
        _ => StoreError::Unavailable(error.clone()),
    }
}

/// Tells the operator that a transaction could not be begun, kept or committed.
fn tell(damage: &Damage, what: &'static str, error: &DbErr) {
    let service = damage.service();
    damage.note(error);
    metrics::counter!("store_commit_failures_total", "service" => service.name()).increment(1);
    tracing::error!(%service, error = crate::chain(error), "{what}");
}
