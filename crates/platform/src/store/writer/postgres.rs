//! A transaction of PostgreSQL for each unit, as many side by side as there are connections for them.

use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait};

use super::{Job, Ran, Settled, not_committed, run_in, tell};
use crate::store::damage::Damage;
use crate::store::fault::Fault;
use crate::store::places::Places;
use crate::store::pool::{self, Current, Pool};
use crate::store::trust::Trust;

/// The server as units see it.
#[derive(Debug)]
pub(in crate::store) struct Server {
    pub(in crate::store) damage: Arc<Damage>,
    pub(in crate::store) pool: Arc<Pool>,
    pub(in crate::store) units: Places,
    /// Units that give way to others have few of the places.
    pub(in crate::store) background: Places,
    pub(in crate::store) trust: Arc<Trust>,
}

impl Server {
    /// Runs the unit of `job`, commits it or rolls it back, and answers its caller.
    pub(super) async fn write(&self, background: bool, job: Job) {
        let Job { shared, origin, work, settle } = job;
        let in_turn = self.in_turn(background, async {
            let used = self.pool.current();
            let transaction = self.begin(&used).await?;
            Ok(self.end(&used, run_in(transaction, &shared, origin, work).await).await)
        });
        let settled = match Box::pin(in_turn).await {
            Ok(settled) => settled,
            Err(error) => Settled::Failed(error.into()),
        };
        drop(settle.send(settled));
    }

    async fn in_turn<T>(&self, background: bool, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let _few = if background { Some(self.background.take().await?) } else { None };
        let _place = self.units.take().await?;
        work.await
    }

    async fn begin(&self, used: &Current) -> Result<DatabaseTransaction, DbErr> {
        let begun = pool::in_time(used.connections.begin()).await;
        if let Err(error) = &begun {
            self.failed(used, "a transaction could not be begun", error).await;
        }
        begun
    }

    async fn end(&self, used: &Current, (transaction, ran): (DatabaseTransaction, Ran)) -> Settled {
        match ran {
            Ran::Done(result, effects) => match pool::in_time(transaction.commit()).await {
                Ok(()) => Settled::Committed(result, effects),
                Err(error) => {
                    self.failed(used, "a commit failed", &error).await;
                    Settled::Failed(not_committed(&error))
                }
            },
            Ran::Undone(settled) => {
                self.roll_back(used, transaction).await;
                settled
            }
            Ran::Lost(error, settled) => {
                self.failed(used, "a transaction was lost", &error).await;
                // Nobody would answer: the server ends it by itself.
                if !pool::is_silence(&error) {
                    self.roll_back(used, transaction).await;
                }
                settled
            }
        }
    }

    /// Nothing of the unit stays, whatever comes of this: a connection on which it fails is closed.
    async fn roll_back(&self, used: &Current, transaction: DatabaseTransaction) {
        if let Err(error) = pool::in_time(transaction.rollback()).await {
            self.failed(used, "a transaction could not be rolled back", &error).await;
        }
    }

    async fn failed(&self, used: &Current, what: &'static str, error: &DbErr) {
        self.pool.note(used, error).await;
        self.units.note(error);
        if Fault::of(error).is_grave() {
            self.trust.withdraw();
            tell(&self.damage, what, error);
        }
    }
}
