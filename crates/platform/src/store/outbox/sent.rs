//! What has left: where it is in its stream, what is owed once more, and what nobody needs any longer.

use chrono::{DateTime, Utc};
use lasegue_contracts::topology::{Consumer, Stream};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::CaseStatement;
use sea_orm::{Condition, FromQueryResult, QueryOrder, QuerySelect};

use super::{Class, Column, Entity, lock, of_subjects};
use crate::bus::Handled;

/// A row that the transport has.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Published {
    pub(in crate::store) row: i64,
    /// Its place in its stream, where the transport keeps one.
    pub(in crate::store) place: Option<u64>,
    /// Whether nobody has to handle it any more.
    pub(in crate::store) proved: bool,
    /// Its event, when the transport had said that it never takes it.
    pub(in crate::store) refused: Option<Uuid>,
}

pub(in crate::store) async fn mark_published(
    db: &impl ConnectionTrait,
    rows: Vec<Published>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let held = lock(db, Entity::find().filter(Column::Id.is_in(rows.iter().map(|row| row.row)))).await?;
    let mut update = Entity::update_many()
        .col_expr(Column::PublishedAt, Expr::value(now))
        .col_expr(Column::RefusedAt, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::Id.is_in(held));
    let places = rows.iter().filter_map(|row| Some((row.row, i64::try_from(row.place?).ok()?)));
    let places: Vec<_> = places.collect();
    if !places.is_empty() {
        let cases =
            places.into_iter().fold(CaseStatement::new(), |cases, (row, place)| cases.case(Column::Id.eq(row), place));
        update = update.col_expr(Column::Sequence, cases.into());
    }
    update.exec(db).await?;
    let proved: Vec<_> = rows.iter().filter(|row| row.proved).map(|row| row.row).collect();
    if proved.is_empty() { Ok(()) } else { mark_proved(db, proved, now).await }
}

/// Writes down that the readers of published rows have handled them.
pub(in crate::store) async fn mark_proved(
    db: &impl ConnectionTrait,
    rows: Vec<i64>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let published = Entity::find().filter(Column::PublishedAt.is_not_null()).filter(Column::ProvedAt.is_null());
    let held = lock(db, published.filter(Column::Id.is_in(rows))).await?;
    let update = Entity::update_many().col_expr(Column::ProvedAt, Expr::value(now));
    update.filter(Column::Id.is_in(held)).exec(db).await.map(drop)
}

/// A row that the transport has, as its reader is asked for it.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(in crate::store) struct Sent {
    pub(in crate::store) id: i64,
    pub(in crate::store) event_id: Uuid,
    pub(in crate::store) sequence: Option<i64>,
}

/// The rows behind `after` that `reader` has proved, or has not yet.
pub(in crate::store) async fn sent(
    db: &impl ConnectionTrait,
    reader: &Consumer,
    proved: bool,
    after: i64,
    most: u64,
) -> Result<Vec<Sent>, DbErr> {
    let proof = if proved { Column::ProvedAt.is_not_null() } else { Column::ProvedAt.is_null() };
    let rows =
        Entity::find().filter(Column::PublishedAt.is_not_null()).filter(proof).filter(of_subjects(reader.filters));
    let columns = rows.select_only().columns([Column::Id, Column::EventId, Column::Sequence]);
    columns.filter(Column::Id.gt(after)).order_by_asc(Column::Id).limit(most).into_model().all(db).await
}

/// Makes rows owed again that their reader lacks.
pub(in crate::store) async fn owe_lacking(db: &impl ConnectionTrait, rows: Vec<i64>) -> Result<u64, DbErr> {
    let published = Entity::find().filter(Column::PublishedAt.is_not_null()).filter(Column::Id.is_in(rows));
    let held = lock(db, published).await?;
    set_owed(db, &held).await
}

/// The published row of `stream` with the last place.
pub(in crate::store) async fn last_published(
    db: &impl ConnectionTrait,
    stream: &Stream,
) -> Result<Option<Handled>, DbErr> {
    let placed = Entity::find().filter(Column::PublishedAt.is_not_null()).filter(Column::Sequence.is_not_null());
    // All events of a stream are of one class.
    let placed = placed.filter(Column::Class.eq(Class::of(stream.subjects[0]) as i16));
    let last = placed.filter(of_stream(stream)).order_by_desc(Column::Sequence).one(db).await?;
    Ok(last.and_then(|row| Some(Handled { place: row.sequence?.try_into().ok()?, event: row.event_id })))
}

/// Makes the published rows of `stream` owed again that nobody has proved: those published since an instant, or all.
pub(in crate::store) async fn owe_again(
    db: &impl ConnectionTrait,
    stream: &Stream,
    since: Option<DateTime<Utc>>,
) -> Result<u64, DbErr> {
    let published = match since {
        Some(since) => Column::PublishedAt.gte(since),
        None => Column::PublishedAt.is_not_null(),
    };
    // All of them, so this waits for whoever marks some: in the one order it can wait for nobody who waits for it.
    let rows = Entity::find().filter(published).filter(Column::ProvedAt.is_null()).filter(of_stream(stream));
    let rows = rows.order_by_asc(Column::Id).select_only().column(Column::Id).lock_exclusive();
    set_owed(db, &rows.into_tuple::<i64>().all(db).await?).await
}

async fn set_owed(db: &impl ConnectionTrait, rows: &[i64]) -> Result<u64, DbErr> {
    let mut changed = 0;
    for some in rows.chunks(IN_ONE_STATEMENT) {
        let update = Entity::update_many()
            .col_expr(Column::PublishedAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::ProvedAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Sequence, Expr::value(None::<i64>))
            .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Again, Expr::value(true));
        changed += update.filter(Column::Id.is_in(some.iter().copied())).exec(db).await?.rows_affected;
    }
    Ok(changed)
}

/// Ids in one statement: both databases take far more.
const IN_ONE_STATEMENT: usize = 1_024;

fn of_stream(stream: &Stream) -> Condition {
    of_subjects(stream.subjects)
}

/// Removes rows proved before `before`, at most `most` of them.
pub(in crate::store) async fn forget(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
    most: u64,
) -> Result<u64, DbErr> {
    let rows = lock(db, Entity::find().filter(Column::ProvedAt.lt(before)).limit(most)).await?;
    Ok(Entity::delete_many().filter(Column::Id.is_in(rows)).exec(db).await?.rows_affected)
}
