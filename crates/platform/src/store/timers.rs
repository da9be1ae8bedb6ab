//! Durable timers: set in a unit of work, found by index when due, fired until the work they stand for is committed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use super::Store;
use crate::consume::HandlerError;

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, DeriveEntityModel)]
#[sea_orm(table_name = "timers")]
pub struct Model {
    /// What it is for, for example `escalate`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// What it is about, for example an alert's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// When it fires.
    pub due_at: DateTime<Utc>,
}

/// A timer that is set.
pub type Timer = Model;

/// Timers stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn set(db: &impl ConnectionTrait, kind: &str, key: &str, due_at: DateTime<Utc>) -> Result<(), DbErr> {
    let row = ActiveModel {
        kind: ActiveValue::Set(kind.to_owned()),
        key: ActiveValue::Set(key.to_owned()),
        due_at: ActiveValue::Set(due_at),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::columns([Column::Kind, Column::Key]).update_column(Column::DueAt).to_owned())
        .exec_without_returning(db)
        .await
        .map(drop)
}

pub(super) async fn cancel(db: &impl ConnectionTrait, kind: &str, key: &str) -> Result<(), DbErr> {
    Entity::delete_by_id((kind.to_owned(), key.to_owned())).exec(db).await.map(drop)
}

pub(super) async fn claim(db: &impl ConnectionTrait, timer: &Timer) -> Result<bool, DbErr> {
    let deleted = Entity::delete_many()
        .filter(Column::Kind.eq(&timer.kind))
        .filter(Column::Key.eq(&timer.key))
        .filter(Column::DueAt.eq(timer.due_at))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected == 1)
}

async fn next(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Timer>, DbErr> {
    Entity::find().order_by_asc(Column::DueAt).limit(most).all(db).await
}

/// What a service does when one of its timers fires.
#[async_trait]
pub trait OnTimer: Send + Sync {
    /// Does the timer's work in a commit that first claims it with [`super::Unit::claim_timer`].
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError>;
}

/// Timers fired side by side.
const AT_ONCE: usize = 16;
/// Timers looked at in one round; the rest come in the next.
const ROUND: u64 = 256;
/// How long a timer whose work failed waits for its next try.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Another replica may have set a timer: look at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Fires the timers of `store` as they fall due, until `stop`. A failing timer is tried again and delays no other.
pub async fn run(store: Store, on_timer: Arc<dyn OnTimer>, stop: CancellationToken) {
    let mut failed = HashMap::new();
    while !stop.is_cancelled() {
        let wake = match round(&store, &*on_timer, &mut failed).await {
            Ok(wake) => wake,
            Err(error) => {
                tracing::error!(service = %store.service(), error = %error, "the timers could not be read");
                store.clock().now() + AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = store.shared.timers.notified() => {}
            () = store.clock().sleep_until(wake) => {}
        }
    }
}

/// Fires what is due and says when to look again. `failed` holds the timers whose work failed, with their next try.
async fn round(
    store: &Store,
    on_timer: &dyn OnTimer,
    failed: &mut HashMap<Timer, DateTime<Utc>>,
) -> Result<DateTime<Utc>, DbErr> {
    let now = store.clock().now();
    failed.retain(|_, retry_at| *retry_at > now);
    let timers = next(store.reader(), ROUND + failed.len() as u64).await?;
    let (due, later): (Vec<_>, Vec<_>) = timers.into_iter().partition(|timer| timer.due_at <= now);
    let due: Vec<_> = due.into_iter().filter(|timer| !failed.contains_key(timer)).collect();
    for some in due.chunks(AT_ONCE) {
        let outcomes = future::join_all(some.iter().map(|timer| on_timer.fire(timer))).await;
        for (timer, outcome) in some.iter().zip(outcomes) {
            if let Err(error) = outcome {
                tracing::error!(service = %store.service(), kind = timer.kind, error = %error.chain(), "a timer's work failed and is tried again");
                failed.insert(timer.clone(), store.clock().now() + AFTER_FAILURE);
            }
        }
    }
    if !due.is_empty() {
        return Ok(now);
    }
    let soonest = later.first().map(|timer| timer.due_at).into_iter().chain(failed.values().copied()).min();
    Ok(soonest.unwrap_or(DateTime::<Utc>::MAX_UTC).min(now + LONGEST_WAIT))
}
