//! Reading outside any unit of work. Background work reads on few of the connections: what is live finds one free.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    TransactionTrait,
};

use super::damage::Damage;
use super::places::{Away, Places};
use super::pool::Pool;

/// Connections for reading, for sea-orm.
#[derive(Debug)]
pub struct Reader {
    pool: Arc<Pool>,
    places: Arc<Places>,
    /// Those among them that background work has; none for all other.
    few: Option<Arc<Places>>,
    damage: Arc<Damage>,
}

/// Connections that background work reads on at once.
const BACKGROUND: u32 = 2;

impl Reader {
    /// All connections of `pool`, of which there are `count`, and the same for background work.
    pub(super) fn new(pool: &Arc<Pool>, count: u32, away: &Arc<Away>, damage: &Arc<Damage>) -> [Self; 2] {
        let places = Arc::new(Places::new(count, away));
        let few = Arc::new(Places::new(BACKGROUND, away));
        [None, Some(few)].map(|few| Self { pool: pool.clone(), places: places.clone(), few, damage: damage.clone() })
    }

    /// A transaction, for what must be read at one instant. End it soon: it may stand in the way of others.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.run(|pool| async move { pool.begin().await }).await
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.pool.current().connections.close().await
    }

    async fn run<T, F>(&self, statement: impl FnOnce(DatabaseConnection) -> F + Send) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>> + Send,
    {
        let _few = match &self.few {
            Some(few) => Some(few.take().await?),
            None => None,
        };
        let _place = self.places.take().await?;
        let used = self.pool.current();
        let answer = self.pool.answer(&used, statement(used.connections.clone())).await;
        answer.inspect_err(|error| {
            self.places.note(error);
            self.damage.note(error);
        })
    }
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.current().connections.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(|pool| async move { pool.execute_raw(statement).await }).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(|pool| async move { pool.execute_unprepared(sql).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(|pool| async move { pool.query_one_raw(statement).await }).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(|pool| async move { pool.query_all_raw(statement).await }).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt;
    use lasegue_contracts::Service;

    use super::*;
    use crate::store::Location;

    #[tokio::test]
    async fn background_work_leaves_a_connection_to_what_is_live() {
        let pool = Arc::new(Pool::new(DatabaseConnection::default(), None));
        let damage = Arc::new(Damage::none(Service::Intake, &Location::Postgres(String::new())));
        let [live, background] = Reader::new(&pool, BACKGROUND + 1, &Away::new(), &damage);
        let mut slow: Vec<_> =
            (0..=BACKGROUND).map(|_| Box::pin(background.run(|_| pending::<Result<(), _>>()))).collect();
        assert!(slow.iter_mut().all(|reading| reading.now_or_never().is_none()));
        assert!(background.run(|_| ready(Ok(()))).now_or_never().is_none(), "it waits");
        assert!(live.run(|_| ready(Ok(()))).now_or_never().is_some(), "it does not");
    }
}
