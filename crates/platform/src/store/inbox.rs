//! The inbox: which events a consumer has handled, committed with the effects, so that a redelivery changes nothing.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect, TryInsertResult};

use crate::bus::Handled;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    consumer: String,
    #[sea_orm(primary_key, auto_increment = false)]
    event_id: Uuid,
    handled_at: DateTime<Utc>,
    /// Where the event was in its stream when it came last.
    place: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Notes the event; false when it was noted before. Either way its place is known from now on.
pub(super) async fn first_time(
    db: &impl ConnectionTrait,
    consumer: &str,
    event_id: Uuid,
    place: Option<u64>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let place = place.and_then(|place| i64::try_from(place).ok());
    let row = ActiveModel {
        consumer: ActiveValue::Set(consumer.to_owned()),
        event_id: ActiveValue::Set(event_id),
        handled_at: ActiveValue::Set(now),
        place: ActiveValue::Set(place),
    };
    let inserted = Entity::insert(row)
        .on_conflict(OnConflict::columns([Column::Consumer, Column::EventId]).do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(db)
        .await?;
    let first = matches!(inserted, TryInsertResult::Inserted(1));
    if !first && place.is_some() {
        let known = Entity::update_many().col_expr(Column::Place, Expr::value(place));
        known.filter(Column::Consumer.eq(consumer)).filter(Column::EventId.eq(event_id)).exec(db).await?;
    }
    Ok(first)
}

/// Which of `events` the consumer has handled.
pub(crate) async fn known(db: &impl ConnectionTrait, consumer: &str, events: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    let rows = Entity::find().select_only().column(Column::EventId).filter(Column::Consumer.eq(consumer));
    rows.filter(Column::EventId.is_in(events.iter().copied())).into_tuple().all(db).await
}

/// The event of `consumer` with the last place.
pub(crate) async fn last_handled(db: &impl ConnectionTrait, consumer: &str) -> Result<Option<Handled>, DbErr> {
    let last = Entity::find()
        .filter(Column::Consumer.eq(consumer))
        .filter(Column::Place.is_not_null())
        .order_by_desc(Column::Place)
        .one(db)
        .await?;
    Ok(last.and_then(|row| Some(Handled { place: row.place?.try_into().ok()?, event: row.event_id })))
}

/// Forgets the places of `consumer`: its stream counts anew.
pub(crate) async fn forget_places(db: &impl ConnectionTrait, consumer: &str) -> Result<(), DbErr> {
    let places = Entity::update_many().col_expr(Column::Place, Expr::value(None::<i64>));
    places.filter(Column::Consumer.eq(consumer)).filter(Column::Place.is_not_null()).exec(db).await.map(drop)
}

/// Removes rows handled before `before`.
pub(super) async fn forget(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::HandledAt.lt(before)).exec(db).await?.rows_affected)
}
