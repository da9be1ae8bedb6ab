//! The outbox: every event that a service owes the others, written with the state that caused it.

use chrono::{DateTime, Utc};
use lasegue_contracts::Envelope;
use lasegue_contracts::topology::{RED_FLAGS, Stream};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::CaseStatement;
use sea_orm::{ActiveValue, Condition, QueryOrder, QuerySelect};

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
    /// How urgent it is: see [`Class`].
    pub class: i16,
    /// W3C trace context.
    pub trace_parent: String,
    /// The encoded event.
    pub payload: Vec<u8>,
    /// When it was committed.
    pub created_at: DateTime<Utc>,
    /// When nobody needed it from here any more.
    pub published_at: Option<DateTime<Utc>>,
    /// Its place in the transport's stream, where the transport keeps one.
    pub sequence: Option<i64>,
}

/// The outbox stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How urgent a row is. Each class has places of its own on its way out, so that none waits for a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    RedFlag,
    Live,
    Bulk,
}

impl Class {
    pub(super) const ALL: [Self; 3] = [Self::RedFlag, Self::Live, Self::Bulk];

    /// The class of what travels on `subject`.
    pub(super) fn of(subject: &str) -> Self {
        match Stream::of(subject) {
            Some(stream) if stream.name == RED_FLAGS.name => Self::RedFlag,
            _ if subject.split('.').nth(3) == Some("bulk") => Self::Bulk,
            _ => Self::Live,
        }
    }
}

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
        class: ActiveValue::Set(Class::of(&envelope.subject) as i16),
        trace_parent: ActiveValue::Set(envelope.trace_parent.clone()),
        payload: ActiveValue::Set(envelope.payload.to_vec()),
        created_at: ActiveValue::Set(now),
        published_at: ActiveValue::Set(None),
        sequence: ActiveValue::Set(None),
    };
    let row = Entity::insert(row).exec(db).await?.last_insert_id;
    Ok(Outgoing { row, envelope })
}

/// The oldest rows of `class` still owed, behind row `after`, but for those committed in the span `young`. Those committed
/// later yet were committed before the clock was set back.
pub(super) async fn owed(
    db: &impl ConnectionTrait,
    source: &str,
    class: Class,
    after: i64,
    young: [DateTime<Utc>; 2],
    most: u64,
) -> Result<Vec<Outgoing>, DbErr> {
    let [from, until] = young;
    let rows = Entity::find()
        .filter(Column::PublishedAt.is_null())
        .filter(Column::Class.eq(class as i16))
        .filter(Column::Id.gt(after))
        .filter(Condition::any().add(Column::CreatedAt.lte(from)).add(Column::CreatedAt.gt(until)))
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

/// A row that the transport needs no longer, with its place in its stream.
pub(super) type Published = (i64, Option<u64>);

pub(super) async fn mark_published(
    db: &impl ConnectionTrait,
    rows: Vec<Published>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let ids = rows.iter().map(|(row, _)| *row);
    let mut update =
        Entity::update_many().col_expr(Column::PublishedAt, Expr::value(now)).filter(Column::Id.is_in(ids));
    let places = rows.iter().filter_map(|(row, place)| Some((*row, i64::try_from((*place)?).ok()?)));
    let places: Vec<_> = places.collect();
    if !places.is_empty() {
        let cases =
            places.into_iter().fold(CaseStatement::new(), |cases, (row, place)| cases.case(Column::Id.eq(row), place));
        update = update.col_expr(Column::Sequence, cases.into());
    }
    update.exec(db).await.map(drop)
}

/// The last place in `stream` of a published row.
pub(super) async fn highest_sequence(db: &impl ConnectionTrait, stream: &Stream) -> Result<Option<u64>, DbErr> {
    let highest = published_to(stream).filter(Column::Sequence.is_not_null()).order_by_desc(Column::Sequence);
    let row = highest.one(db).await?;
    Ok(row.and_then(|row| row.sequence).and_then(|sequence| u64::try_from(sequence).ok()))
}

/// Makes the published rows of `stream` owed again: those published since an instant, or all that are kept.
pub(super) async fn owe_again(
    db: &impl ConnectionTrait,
    stream: &Stream,
    since: Option<DateTime<Utc>>,
) -> Result<u64, DbErr> {
    let mut update = Entity::update_many()
        .col_expr(Column::PublishedAt, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::PublishedAt.is_not_null())
        .filter(of_stream(stream));
    if let Some(since) = since {
        update = update.filter(Column::PublishedAt.gte(since));
    }
    Ok(update.exec(db).await?.rows_affected)
}

fn published_to(stream: &Stream) -> Select<Entity> {
    Entity::find().filter(Column::PublishedAt.is_not_null()).filter(of_stream(stream))
}

/// The subjects of `stream`: its `*` is a part of a subject, SQL's `%` is at least that.
fn of_stream(stream: &Stream) -> Condition {
    stream
        .subjects
        .iter()
        .fold(Condition::any(), |any, pattern| any.add(Column::Subject.like(pattern.replace('*', "%"))))
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
