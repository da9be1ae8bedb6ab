//! What waits: live rows whose reader has not heard of them, for the second way and for whoever watches.

use chrono::{DateTime, Utc};
use lasegue_contracts::Service;
use lasegue_contracts::topology::Consumer;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect};

use super::{Class, Column, Entity, Outgoing, lock, of_subjects, outgoing};
use crate::direct::live_consumers;

/// The oldest live rows for `consumer` that neither the transport took nor its reader: those committed before `before`.
/// With `since`, also those that the transport took since then, when it went away: they may be in it still. Not those in
/// `but`.
pub(in crate::store) async fn unheard(
    db: &impl ConnectionTrait,
    consumer: &Consumer,
    source: &str,
    [before, ahead]: [DateTime<Utc>; 2],
    since: Option<DateTime<Utc>>,
    but: impl IntoIterator<Item = i64>,
    most: u64,
) -> Result<Vec<Outgoing>, DbErr> {
    let owed = Condition::all().add(Column::PublishedAt.is_null()).add(Column::Again.eq(false));
    let in_it = since.map(|since| Condition::all().add(Column::PublishedAt.gte(since)).add(Column::ProvedAt.is_null()));
    let owed = Condition::any().add(owed).add_option(in_it);
    let rows = Entity::find()
        .filter(Column::HandedAt.is_null())
        .filter(owed)
        .filter(Column::Class.ne(Class::Bulk as i16))
        .filter(of_subjects(consumer.filters))
        .filter(Condition::any().add(Column::CreatedAt.lte(before)).add(Column::CreatedAt.gt(ahead)))
        .filter(Column::Id.is_not_in(but))
        .order_by_asc(Column::Id)
        .limit(most)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| outgoing(row, source)).collect())
}

/// The oldest red flags for `consumer` that the transport took before `before` and their reader did not. Not those in `but`.
pub(in crate::store) async fn unread(
    db: &impl ConnectionTrait,
    consumer: &Consumer,
    source: &str,
    before: DateTime<Utc>,
    but: impl IntoIterator<Item = i64>,
    most: u64,
) -> Result<Vec<Outgoing>, DbErr> {
    let rows = Entity::find()
        .filter(Column::PublishedAt.lte(before))
        .filter(Column::PublishedAt.is_not_null())
        .filter(Column::ProvedAt.is_null())
        .filter(Column::HandedAt.is_null())
        .filter(Column::Class.eq(Class::RedFlag as i16))
        .filter(of_subjects(consumer.filters))
        .filter(Column::Id.is_not_in(but))
        .order_by_asc(Column::Id)
        .limit(most)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| outgoing(row, source)).collect())
}

/// Notes that the readers of `rows` have taken them from hand to hand.
pub(in crate::store) async fn mark_handed(
    db: &impl ConnectionTrait,
    rows: Vec<i64>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let held = lock(db, Entity::find().filter(Column::Id.is_in(rows))).await?;
    let update = Entity::update_many().col_expr(Column::HandedAt, Expr::value(now));
    update.filter(Column::Id.is_in(held)).exec(db).await.map(drop)
}

/// A row that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Waiting {
    row: i64,
    /// Since when.
    pub(in crate::store) since: DateTime<Utc>,
}

/// The oldest row of `class` that the transport has never taken.
pub(in crate::store) async fn oldest_owed(db: &impl ConnectionTrait, class: Class) -> Result<Option<Waiting>, DbErr> {
    oldest(db, Entity::find().filter(Column::Class.eq(class as i16))).await
}

/// The oldest live row of `service` that neither the transport has ever taken nor its reader.
pub(in crate::store) async fn oldest_unheard(
    db: &impl ConnectionTrait,
    service: Service,
) -> Result<Option<Waiting>, DbErr> {
    let subjects = live_consumers(service).flat_map(|consumer| consumer.filters).copied().collect::<Vec<_>>();
    let live = Entity::find().filter(Column::HandedAt.is_null()).filter(Column::Class.ne(Class::Bulk as i16));
    let not_taken = oldest(db, live.filter(of_subjects(&subjects))).await?;
    let unread = oldest_unread(db).await?;
    Ok([not_taken, unread].into_iter().flatten().min_by_key(|row| row.since))
}

/// The oldest red flag that the transport took and its reader did not.
async fn oldest_unread(db: &impl ConnectionTrait) -> Result<Option<Waiting>, DbErr> {
    let taken = Entity::find().filter(Column::PublishedAt.is_not_null()).filter(Column::ProvedAt.is_null());
    let unread = taken.filter(Column::HandedAt.is_null()).filter(Column::Class.eq(Class::RedFlag as i16));
    let oldest = unread.order_by_asc(Column::Id).one(db).await?;
    Ok(oldest.map(|row| Waiting { row: row.id, since: row.created_at }))
}

async fn oldest(db: &impl ConnectionTrait, rows: Select<Entity>) -> Result<Option<Waiting>, DbErr> {
    let never_taken = rows.filter(Column::PublishedAt.is_null()).filter(Column::Again.eq(false));
    let oldest = never_taken.order_by_asc(Column::Id).one(db).await?;
    Ok(oldest.map(|row| Waiting { row: row.id, since: row.created_at }))
}
