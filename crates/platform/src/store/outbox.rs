//! The outbox: every event that a service owes the others, written with the state that caused it.

mod sent;
mod unheard;

use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_contracts::Envelope;
use lasegue_contracts::topology::{RED_FLAGS, Stream};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ActiveValue, Condition, QueryOrder, QuerySelect};

pub(super) use self::sent::{
    Published, Sent, forget, last_published, mark_proved, mark_published, owe_again, owe_lacking, sent,
};
pub(super) use self::unheard::{Waiting, mark_handed, oldest_owed, oldest_unheard, unheard, unread};

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
    /// When the transport had it.
    pub published_at: Option<DateTime<Utc>>,
    /// Its place in the transport's stream, where the transport keeps one.
    pub sequence: Option<i64>,
    /// Whether it left before and leaves once more, behind everything that did not.
    pub again: bool,
    /// Until when a relay has it in hand; others leave it alone.
    pub taken_until: Option<DateTime<Utc>>,
    /// When its reader took it from hand to hand, if the transport did not take it in time.
    pub handed_at: Option<DateTime<Utc>>,
    /// When the transport last said that it never takes it.
    pub refused_at: Option<DateTime<Utc>>,
    /// When its reader was known to have handled it for good.
    pub proved_at: Option<DateTime<Utc>>,
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
    /// The class of what travels on `subject`.
    pub(super) fn of(subject: &str) -> Self {
        match Stream::of(subject) {
            Some(stream) if stream.name == RED_FLAGS.name => Self::RedFlag,
            _ if subject.split('.').nth(3) == Some("bulk") => Self::Bulk,
            _ => Self::Live,
        }
    }
}

/// How long a row that was just written is on its direct way.
pub(super) const DIRECT: Duration = Duration::from_secs(2);
/// How often a row is tried that the transport said it never takes.
pub(super) const REFUSED_EVERY: Duration = Duration::from_mins(5);
/// How long a relay has a row in hand that it took up: longer than one try takes.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// Which rows a relay takes up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// Those of a class that have not left before and whose reader has not taken them from hand to hand.
    New(Class),
    /// Those that left before, red flags first.
    Again,
    /// Those that their reader took from hand to hand, red flags first.
    Handed,
    /// Those that the transport never takes as it was set up: it may be set up otherwise now.
    Refused,
}

/// A row on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The row.
    pub row: i64,
    /// What leaves.
    pub envelope: Envelope,
    /// Which copy of it, when the transport had it before.
    pub copy: Option<i64>,
    /// Whether the transport said before that it never takes it.
    pub refused: bool,
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
        again: ActiveValue::Set(false),
        taken_until: ActiveValue::Set(Some(now + DIRECT)),
        handed_at: ActiveValue::Set(None),
        refused_at: ActiveValue::Set(None),
        proved_at: ActiveValue::Set(None),
    };
    let row = Entity::insert(row).exec(db).await?.last_insert_id;
    Ok(Outgoing { row, envelope, copy: None, refused: false })
}

/// The oldest owed rows, and nobody else's hands on them until `now` and [`LEASE`]. Without `leases` also those that
/// somebody else had in hand: for one who knows to be alone.
pub(super) async fn take(
    db: &impl ConnectionTrait,
    source: &str,
    wanted: Wanted,
    leases: bool,
    now: DateTime<Utc>,
    most: u64,
) -> Result<Vec<Outgoing>, DbErr> {
    let oldest = Entity::find().filter(free(wanted, leases, now)).order_by_asc(Column::Class).order_by_asc(Column::Id);
    let skipping = oldest.limit(most).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let rows = skipping.all(db).await?;
    if !rows.is_empty() {
        let ids = rows.iter().map(|row| row.id);
        let lease = Entity::update_many().col_expr(Column::TakenUntil, Expr::value(now + LEASE));
        lease.filter(Column::Id.is_in(ids)).exec(db).await?;
    }
    // No two relays have the same row in hand in the same millisecond.
    let copy = |row: &Model| row.again.then(|| now.timestamp_millis());
    Ok(rows.into_iter().map(|row| Outgoing { copy: copy(&row), ..outgoing(row, source) }).collect())
}

/// Whether there is anything to [`take`].
pub(super) async fn any_free(
    db: &impl ConnectionTrait,
    wanted: Wanted,
    leases: bool,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    Ok(Entity::find().filter(free(wanted, leases, now)).one(db).await?.is_some())
}

/// A lease that ends later than any can was given before the clock was set back.
fn free(wanted: Wanted, leases: bool, now: DateTime<Utc>) -> Condition {
    let owed = Condition::all().add(Column::PublishedAt.is_null());
    let refused = Column::RefusedAt;
    let wanted = match wanted {
        Wanted::Refused => owed.add(Condition::any().add(refused.lte(now - REFUSED_EVERY)).add(refused.gt(now))),
        Wanted::New(class) => {
            let class = Column::Class.eq(class as i16);
            owed.add(refused.is_null()).add(Column::HandedAt.is_null()).add(Column::Again.eq(false)).add(class)
        }
        Wanted::Again => owed.add(refused.is_null()).add(Column::HandedAt.is_null()).add(Column::Again.eq(true)),
        Wanted::Handed => owed.add(refused.is_null()).add(Column::HandedAt.is_not_null()),
    };
    if !leases {
        return wanted;
    }
    let until = Column::TakenUntil;
    wanted.add(Condition::any().add(until.is_null()).add(until.lte(now)).add(until.gt(now + LEASE)))
}

/// Puts a row aside that the transport never takes as it is set up. It is tried now and then, and holds up no other.
pub(super) async fn refuse(db: &impl ConnectionTrait, row: i64, now: DateTime<Utc>) -> Result<(), DbErr> {
    let aside = Entity::update_many()
        .col_expr(Column::RefusedAt, Expr::value(now))
        .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>));
    aside.filter(Column::Id.eq(row)).filter(Column::PublishedAt.is_null()).exec(db).await.map(drop)
}

/// Gives rows back that could not leave: whoever comes first tries them again.
pub(super) async fn give_back(db: &impl ConnectionTrait, rows: Vec<i64>) -> Result<(), DbErr> {
    let rows = lock(db, Entity::find().filter(Column::Id.is_in(rows)).filter(Column::PublishedAt.is_null())).await?;
    let free = Entity::update_many().col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>));
    free.filter(Column::Id.is_in(rows)).exec(db).await.map(drop)
}

/// The ids of rows that this transaction now holds. All who change several rows take them in this one order, and none
/// waits for a row that another is changing, so that relays side by side never wait for each other.
async fn lock(db: &impl ConnectionTrait, rows: Select<Entity>) -> Result<Vec<i64>, DbErr> {
    let ids = rows.select_only().column(Column::Id).order_by_asc(Column::Id);
    ids.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_tuple().all(db).await
}

/// How many rows are still owed.
///
/// # Errors
/// When the database fails.
pub async fn count_owed(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().filter(Column::PublishedAt.is_null()).count(db).await
}

/// These subjects: their `*` is a part of a subject, SQL's `%` is at least that.
fn of_subjects(patterns: &[&str]) -> Condition {
    patterns.iter().fold(Condition::any(), |any, pattern| any.add(Column::Subject.like(pattern.replace('*', "%"))))
}

fn outgoing(row: Model, source: &str) -> Outgoing {
    Outgoing {
        row: row.id,
        refused: row.refused_at.is_some(),
        copy: None,
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
