//! The statements of one unit of work, all of which pass through here: none of them fails unnoticed.
//!
//! A failing statement may take the whole transaction with it: PostgreSQL gives it up after every error, SQLite when the
//! disk is full or does not answer. What ran after that would be committed alone or not at all, so nothing runs after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::damage::Damage;
use super::fault::Fault;
use super::pool;

/// The open transaction of a unit, for sea-orm.
#[derive(Debug)]
pub struct Db {
    transaction: DatabaseTransaction,
    damage: Arc<Damage>,
    /// What has made the transaction useless.
    lost: Mutex<Option<DbErr>>,
}

impl Db {
    pub(super) fn new(transaction: DatabaseTransaction, damage: Arc<Damage>) -> Self {
        Self { transaction, damage, lost: Mutex::default() }
    }

    /// The transaction, and what made it useless, if anything did.
    pub(super) fn into_parts(self) -> (DatabaseTransaction, Option<DbErr>) {
        (self.transaction, self.lost.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, DbErr> {
        if let Some(error) = &*self.lost() {
            return Err(error.clone());
        }
        let outcome = match self.transaction.get_database_backend() {
            DbBackend::Postgres => pool::in_time(statement).await,
            _ => statement.await,
        };
        let outcome = outcome.inspect_err(|error| self.damage.note(error));
        if let Err(error) = &outcome
            && (self.transaction.get_database_backend() == DbBackend::Postgres || Fault::of(error).is_grave())
        {
            *self.lost() = Some(error.clone());
        }
        outcome
    }

    fn lost(&self) -> MutexGuard<'_, Option<DbErr>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(self.transaction.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(self.transaction.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(self.transaction.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(self.transaction.query_all_raw(statement)).await
    }
}
