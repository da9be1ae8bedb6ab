//! Durable timers: set in a unit of work, found by index when due, fired until the work they stand for is committed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future;
use lasegue_contracts::Service;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use super::dead_letters::{self, State};
use super::{Store, StoreError};
use crate::bus::Message;
use crate::consume::{HandlerError, caught, letters};

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

/// Takes away the timer that `letter` is about, if it is due at `now`: one that was set anew for later stays.
pub(crate) async fn give_up(
    db: &impl ConnectionTrait,
    service: Service,
    letter: &dead_letters::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let named = letter.subject.strip_prefix(SUBJECTS).and_then(|named| named.split_once('.'));
    let Some((kind, key)) = named.filter(|_| letter.consumer == consumer(service)) else { return Ok(()) };
    let given_up = Entity::delete_by_id((kind.to_owned(), key.to_owned())).filter(Column::DueAt.lte(now));
    given_up.exec(db).await.map(drop)
}

async fn is_set(db: &impl ConnectionTrait, timer: &Timer) -> Result<bool, DbErr> {
    let found = Entity::find_by_id((timer.kind.clone(), timer.key.clone())).one(db).await?;
    Ok(found.is_some_and(|found| found.due_at == timer.due_at))
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
/// Failures of one timer, one after the other, after which an operator is told: two to three minutes of them.
const TELL_AFTER: u32 = 120;
/// How long it is remembered how often a timer has failed that did not come again: somebody else has fired or moved it.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Another replica may have set a timer: look at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The failures of a timer since it last went well.
#[derive(Clone, Copy, Debug)]
struct Failures {
    tries: u32,
    retry_at: DateTime<Utc>,
}

/// Fires the timers of `store` as they fall due, until `stop`. A failing or panicking timer is tried again until an operator
/// gives it up, delays no other, and is told of when it goes on failing.
pub async fn run(store: Store, on_timer: Arc<dyn OnTimer>, stop: CancellationToken) {
    let mut failed = HashMap::new();
    while !stop.is_cancelled() {
        let wake = match round(&store, &*on_timer, &mut failed).await {
            Ok(wake) => wake,
            Err(error) => {
                tracing::error!(service = %store.service(), error = crate::chain(&error), "the timers could not be read");
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

/// Fires what is due and says when to look again. `failed` holds the timers whose work failed last.
async fn round(
    store: &Store,
    on_timer: &dyn OnTimer,
    failed: &mut HashMap<Timer, Failures>,
) -> Result<DateTime<Utc>, DbErr> {
    let now = store.clock().now();
    failed.retain(|_, failures| failures.retry_at + REMEMBERED > now);
    let timers = next(store.reader(), ROUND + failed.len() as u64).await?;
    let (due, later): (Vec<_>, Vec<_>) = timers.into_iter().partition(|timer| timer.due_at <= now);
    let waits = |timer: &Timer| failed.get(timer).is_some_and(|failures| failures.retry_at > now);
    let due: Vec<_> = due.into_iter().filter(|timer| !waits(timer)).collect();
    for some in due.chunks(AT_ONCE) {
        let outcomes = future::join_all(some.iter().map(|timer| caught(on_timer.fire(timer)))).await;
        for (timer, outcome) in some.iter().zip(outcomes) {
            settle(store, timer, outcome, failed).await;
        }
    }
    if !due.is_empty() {
        return Ok(now);
    }
    let waiting = failed.values().map(|failures| failures.retry_at).filter(|at| *at > now);
    let soonest = later.first().map(|timer| timer.due_at).into_iter().chain(waiting).min();
    Ok(soonest.unwrap_or(DateTime::<Utc>::MAX_UTC).min(now + LONGEST_WAIT))
}

/// Remembers whether a timer went well, and tells an operator of one that goes on failing.
async fn settle(
    store: &Store,
    timer: &Timer,
    outcome: Result<(), HandlerError>,
    failed: &mut HashMap<Timer, Failures>,
) {
    let before = failed.remove(timer).map_or(0, |failures| failures.tries);
    let told = match outcome {
        Ok(()) if before >= TELL_AFTER => went_well(store, timer).await,
        Ok(()) => Ok(()),
        Err(error) => {
            let (tries, reason) = (before.saturating_add(1), error.chain());
            tracing::error!(service = %store.service(), kind = timer.kind, tries, error = reason, "a timer's work failed and is tried again");
            failed.insert(timer.clone(), Failures { tries, retry_at: store.clock().now() + AFTER_FAILURE });
            if tries % TELL_AFTER == 0 { goes_on_failing(store, timer, reason, tries).await } else { Ok(()) }
        }
    };
    if let Err(error) = told {
        let error = crate::chain(&error);
        tracing::error!(service = %store.service(), kind = timer.kind, error, "it could not be told how a timer fares");
    }
}

/// Tells of a timer that was not given up meanwhile. One that was given up before, and fails now, was set anew.
async fn goes_on_failing(store: &Store, timer: &Timer, reason: String, tries: u32) -> Result<(), StoreError> {
    let (consumer, message) = as_message(store, timer);
    let timer = timer.clone();
    store
        .commit(move |unit| {
            Box::pin(async move {
                if !is_set(unit.db(), &timer).await? {
                    return Ok(());
                }
                let now = unit.now();
                let letter = dead_letters::Model::of(&consumer, &message, &reason, tries, now);
                dead_letters::settle(unit.db(), letter.id, [State::Dropped], State::Handled, now).await?;
                letters::keep(unit, letter).await.map(drop)
            })
        })
        .await
}

async fn went_well(store: &Store, timer: &Timer) -> Result<(), StoreError> {
    let (consumer, message) = as_message(store, timer);
    let id = dead_letters::id_of(&consumer, &message);
    store
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                dead_letters::settle(unit.db(), id, [State::Failing], State::Handled, now).await?;
                Ok(())
            })
        })
        .await
}

/// What the subjects of timers begin with.
const SUBJECTS: &str = "timer.";

/// Who a timer's letters are kept for.
fn consumer(service: Service) -> String {
    format!("{service}-timers")
}

/// A timer as a message that could not be handled: its subject says which.
fn as_message(store: &Store, timer: &Timer) -> (String, Message) {
    let subject = format!("{SUBJECTS}{}.{}", timer.kind, timer.key);
    (consumer(store.service()), Message { subject, headers: Vec::new(), payload: Vec::new().into() })
}
