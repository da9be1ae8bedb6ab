//! The connections to a server, given up for new ones when it falls silent on one of them.
//!
//! A machine that lost its power and a firewall that forgot a connection say nothing, and the kernel waits for a quarter of
//! an hour before it gives such a connection up. So whoever waits for an answer is told after some seconds that the
//! connection broke off. The driver keeps a place in its pool for the silent one until the kernel ends it, and the others
//! may be as silent: all of them are left to themselves, and a new pool takes their place.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use sea_orm::sqlx::Error;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};

/// How long a statement waits for the server's answer: longer than a unit may wait for another one's locks.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// A pool, and how to make it anew.
pub(super) struct Pool {
    current: Mutex<Current>,
    /// None for connections to a file, which are never silent.
    options: Option<ConnectOptions>,
}

/// The connections of now.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) connections: DatabaseConnection,
    /// How many pools were before.
    number: u64,
}

/// Without the options, which hold a password.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("current", &self.current()).finish_non_exhaustive()
    }
}

impl Pool {
    /// These connections; those to a server can be made anew with `options`.
    pub(super) const fn new(connections: DatabaseConnection, options: Option<ConnectOptions>) -> Self {
        Self { current: Mutex::new(Current { connections, number: 0 }), options }
    }

    /// The connections to use now.
    pub(super) fn current(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What comes of a `statement` on `used`.
    pub(super) async fn answer<T>(
        &self,
        used: &Current,
        statement: impl Future<Output = Result<T, DbErr>> + Send,
    ) -> Result<T, DbErr> {
        if self.options.is_none() {
            return statement.await;
        }
        let answer = in_time(statement).await;
        if let Err(error) = &answer {
            self.note(used, error).await;
        }
        answer
    }

    /// Gives up `used` when `error` says that the server is silent there.
    pub(super) async fn note(&self, used: &Current, error: &DbErr) {
        let Some(mut options) = self.options.clone().filter(|_| is_silence(error)) else { return };
        match Database::connect(options.connect_lazy(true).clone()).await {
            Ok(connections) => self.replace(used, connections),
            Err(error) => tracing::error!(error = crate::chain(&error), "a silent pool could not be given up"),
        }
    }

    fn replace(&self, used: &Current, connections: DatabaseConnection) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Those who wait on one pool notice it one after the other: the first of them has given it up.
        if current.number == used.number {
            tracing::warn!("the database was silent for {ANSWER_WITHIN:?}: its connections are made anew");
            *current = Current { connections, number: used.number + 1 };
        }
    }
}

/// The answer of a server to a `statement`, unless it is silent for too long.
pub(super) async fn in_time<T>(statement: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, DbErr> {
    tokio::time::timeout(ANSWER_WITHIN, statement).await.unwrap_or_else(|_| Err(silence()))
}

fn silence() -> DbErr {
    let silent = io::Error::new(io::ErrorKind::TimedOut, format!("the database was silent for {ANSWER_WITHIN:?}"));
    DbErr::Conn(RuntimeErr::SqlxError(Error::Io(silent).into()))
}

pub(super) fn is_silence(error: &DbErr) -> bool {
    let (DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error)) = error else { return false };
    let RuntimeErr::SqlxError(error) = error else { return false };
    matches!(&**error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_of_a_pool_holds_no_password() {
        let options = ConnectOptions::new("postgres://intake:hush-hush@127.0.0.1/lasegue");
        let pool = Pool::new(DatabaseConnection::default(), Some(options));
        assert!(!format!("{pool:?}").contains("hush"), "{pool:?}");
    }
}
