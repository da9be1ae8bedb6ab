//! The outbox: every event that a service owes the others, written with the state that caused it.

use chrono::{DateTime, Utc};
use lasegue_contracts::Envelope;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Counts up; says nothing about the order of commits.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The event's id.
    #[sea_orm(unique)]
    pub event_id: Uuid,
    /// The event's full type name.
    pub event_type: String,
    /// Where it goes.
    pub subject: String,
    /// W3C trace context.
    pub trace_parent: String,
    /// The encoded event.
    pub payload: Vec<u8>,
    /// When it was committed.
    pub created_at: DateTime<Utc>,
    /// When nobody needed it from here any more.
    pub published_at: Option<DateTime<Utc>>,
}

/// The outbox stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A row on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The row.
    pub row: i64,
    /// What leaves.
    pub envelope: Envelope,
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    envelope: Envelope,
    now: DateTime<Utc>,
) -> Result<Outgoing, DbErr> {
    let row = ActiveModel {
        id: ActiveValue::NotSet,
        event_id: ActiveValue::Set(envelope.id),
        event_type: ActiveValue::Set(envelope.event_type.clone()),
        subject: ActiveValue::Set(envelope.subject.clone()),
        trace_parent: ActiveValue::Set(envelope.trace_parent.clone()),
        payload: ActiveValue::Set(envelope.payload.to_vec()),
        created_at: ActiveValue::Set(now),
        published_at: ActiveValue::Set(None),
    };
    let row = Entity::insert(row).exec(db).await?.last_insert_id;
    Ok(Outgoing { row, envelope })
}

/// The oldest rows still owed, committed before `before`, from row `from` on.
pub(super) async fn owed(
    db: &impl ConnectionTrait,
    source: &str,
    from: i64,
    before: DateTime<Utc>,
    most: u64,
) -> Result<Vec<Outgoing>, DbErr> {
    let rows = Entity::find()
        .filter(Column::PublishedAt.is_null())
        .filter(Column::Id.gte(from))
        .filter(Column::CreatedAt.lte(before))
        .order_by_asc(Column::Id)
        .limit(most)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| outgoing(row, source)).collect())
}

/// How many rows are still owed.
///
/// # Errors
/// When the database fails.
pub async fn count_owed(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().filter(Column::PublishedAt.is_null()).count(db).await
}

pub(super) async fn mark_published(db: &impl ConnectionTrait, rows: Vec<i64>, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::PublishedAt, Expr::value(now))
        .filter(Column::Id.is_in(rows))
        .exec(db)
        .await
        .map(drop)
}

/// Removes rows published before `before`, at most `most` of them.
pub(super) async fn forget(db: &impl ConnectionTrait, before: DateTime<Utc>, most: u64) -> Result<u64, DbErr> {
    let rows = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::PublishedAt.lt(before))
        .limit(most)
        .into_tuple::<i64>()
        .all(db)
        .await?;
    Ok(Entity::delete_many().filter(Column::Id.is_in(rows)).exec(db).await?.rows_affected)
}

fn outgoing(row: Model, source: &str) -> Outgoing {
    Outgoing {
        row: row.id,
        envelope: Envelope {
            id: row.event_id,
            event_type: row.event_type,
            subject: row.subject,
            source: source.to_owned(),
            time: row.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            trace_parent: row.trace_parent,
            payload: row.payload.into(),
        },
    }
}
