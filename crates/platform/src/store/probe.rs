//! Whether the store can commit now, found out by committing.
//!
//! A database that can be read may be full, read-only or damaged all the same. So readiness writes a row, through the same
//! writer as everything else, at most once a second however often it is asked; and it looks whether other units fail.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use tokio::sync::Mutex;

use super::{Store, StoreError, Unit};
use crate::chain::chain;

/// How long an answer holds.
const HOLDS: TimeDelta = TimeDelta::seconds(1);
/// How long a commit may take before the store counts as one that cannot.
const PATIENCE: Duration = Duration::from_secs(3);
/// The one row.
const ROW: i32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "probe")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: i32,
    written_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What was found out last, and when.
type Answer = (DateTime<Utc>, Result<(), String>);

/// Asks one store.
#[derive(Debug)]
pub(crate) struct Probe {
    store: Store,
    last: Mutex<Option<Answer>>,
}

impl Probe {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, last: Mutex::new(None) }
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Nothing when the store commits, otherwise why it does not.
    pub(crate) async fn ask(&self) -> Result<(), String> {
        let mut last = self.last.lock().await;
        let now = self.store.clock().now();
        if let Some((at, answer)) = &*last
            && (TimeDelta::zero()..HOLDS).contains(&(now - *at))
        {
            return answer.clone();
        }
        let answer = self.commit().await.and_then(|()| self.others(now));
        *last = Some((now, answer.clone()));
        answer
    }

    /// Nothing unless other units fail all the same.
    fn others(&self, now: DateTime<Utc>) -> Result<(), String> {
        if self.store.shared.failures.go_on(now) {
            return Err("what is to be stored fails, as when the disk is full or somebody holds a table".to_owned());
        }
        Ok(())
    }

    async fn commit(&self) -> Result<(), String> {
        let probing = self.store.probing();
        let written = probing.commit::<_, StoreError, _>(|unit| Box::pin(write(unit)));
        let written = tokio::select! {
            written = written => written.map_err(|error| chain(&error)),
            () = self.store.clock().sleep(PATIENCE) => Err(format!("a commit takes longer than {PATIENCE:?}")),
        };
        written.map_err(|why| format!("nothing can be stored now: {why}"))
    }
}

async fn write(unit: &mut Unit) -> Result<(), StoreError> {
    let row = ActiveModel { id: ActiveValue::Set(ROW), written_at: ActiveValue::Set(unit.now()) };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Id).update_column(Column::WrittenAt).to_owned())
        .exec_without_returning(unit.db())
        .await?;
    Ok(())
}
