//! Messages that could not be handled, kept with their bytes: those that were set aside, and those that go on failing and
//! are tried again still.
//!
//! An open letter is kept until it is settled; a settled one for [`KEEP_SETTLED`], and what people did to it for good.

pub mod actions;
pub(crate) mod list;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_contracts::envelope::header;
use lasegue_contracts::event;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, IntoActiveModel, QuerySelect};

use crate::bus::Message;

/// Open letters of one service at most. What would be one more stays where it came from and is tried again.
pub const MOST_OPEN: u64 = 10_000;
/// Characters of a reason.
const LONGEST_REASON: usize = 1_000;
/// How long a settled letter is kept.
pub(super) const KEEP_SETTLED: Duration = Duration::from_hours(24 * 90);

/// A message that could not be handled.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letters")]
pub struct Model {
    /// Follows from the consumer and the event: the same one is kept once, however often it comes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The consumer that could not handle it.
    pub consumer: String,
    /// Where it travelled.
    pub subject: String,
    /// Its headers, as a JSON object.
    pub headers: Json,
    /// Its body.
    pub payload: Vec<u8>,
    /// Why it was not handled.
    pub reason: String,
    /// When it was told of.
    pub created_at: DateTime<Utc>,
    /// What has become of it.
    pub state: State,
    /// How often it failed, when it was tried again.
    pub tries: i32,
    /// When it ceased to be open.
    pub settled_at: Option<DateTime<Utc>>,
}

/// What has become of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// It can never be understood and waits for an operator.
    #[sea_orm(string_value = "set-aside")]
    SetAside,
    /// It is tried again still.
    #[sea_orm(string_value = "failing")]
    Failing,
    /// A later try of its own went well.
    #[sea_orm(string_value = "handled")]
    Handled,
    /// An operator had it handled again, and that went well.
    #[sea_orm(string_value = "replayed")]
    Replayed,
    /// An operator gave it up.
    #[sea_orm(string_value = "dropped")]
    Dropped,
}

impl State {
    /// Somebody or something has to deal with it still.
    pub const OPEN: [Self; 2] = [Self::SetAside, Self::Failing];
    /// It is done with.
    pub const SETTLED: [Self; 3] = [Self::Handled, Self::Replayed, Self::Dropped];

    /// The word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SetAside => "set-aside",
            Self::Failing => "failing",
            Self::Handled => "handled",
            Self::Replayed => "replayed",
            Self::Dropped => "dropped",
        }
    }

    /// Whether somebody or something has to deal with it still.
    pub fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }
}

/// Letters stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The letter of a message that `consumer` could not handle; `tries` is 0 when it was set aside.
    pub(crate) fn of(consumer: &str, message: &Message, reason: &str, tries: u32, now: DateTime<Utc>) -> Self {
        Self {
            id: id_of(consumer, message),
            consumer: consumer.to_owned(),
            subject: message.subject.clone(),
            headers: headers(message),
            payload: message.payload.to_vec(),
            reason: reason.chars().take(LONGEST_REASON).collect(),
            created_at: now,
            state: if tries == 0 { State::SetAside } else { State::Failing },
            tries: i32::try_from(tries).unwrap_or(i32::MAX),
            settled_at: None,
        }
    }

    /// The message as it came.
    pub fn message(&self) -> Message {
        let headers = self.headers.as_object().into_iter().flatten();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        Message {
            subject: self.subject.clone(),
            headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
            payload: self.payload.clone().into(),
        }
    }

    /// The event's full type name, where the message names one.
    pub fn event_type(&self) -> &str {
        self.headers[header::TYPE].as_str().unwrap_or_default()
    }

    /// The event's id, where the message names one.
    pub fn event_id(&self) -> &str {
        self.headers[header::ID].as_str().unwrap_or_default()
    }

    /// The episode that it speaks of.
    pub fn episode(&self) -> Option<Uuid> {
        event::episode_of_subject(&self.subject)
    }
}

/// The id of the letter that an event is, or would be.
pub(crate) fn id_of_event(consumer: &str, event: Uuid) -> Uuid {
    Uuid::new_v5(&event, consumer.as_bytes())
}

/// The id of the letter that this message is, or would be.
pub(crate) fn id_of(consumer: &str, message: &Message) -> Uuid {
    if let Ok(envelope) = message.envelope() {
        return id_of_event(consumer, envelope.id);
    }
    let content = [consumer.as_bytes(), b"\n", message.subject.as_bytes(), b"\n", &message.payload].concat();
    Uuid::new_v5(&Uuid::nil(), &content)
}

/// The id of the letter of a message that was forged: by all that it says, whatever event it claims to be.
pub(crate) fn id_of_forged(consumer: &str, message: &Message) -> Uuid {
    let id = message.header(header::ID).unwrap_or_default();
    let texts = [consumer, &message.subject, id].join("\n");
    Uuid::new_v5(&Uuid::nil(), &[texts.as_bytes(), b"\n", &message.payload].concat())
}

/// What keeping a letter came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is news: somebody has to be told.
    New,
    /// It was known to be so.
    Known,
    /// An operator gave this one up: it is done with.
    Dropped,
    /// There are as many open letters as there may be.
    Full,
}

/// Keeps a letter, once.
pub(crate) async fn keep(db: &impl ConnectionTrait, letter: Model) -> Result<Kept, DbErr> {
    let Some(known) = find(db, letter.id).await? else {
        if count_open(db).await? >= MOST_OPEN {
            return Ok(Kept::Full);
        }
        Entity::insert(letter.into_active_model()).exec_without_returning(db).await?;
        return Ok(Kept::New);
    };
    if known.state == State::Dropped {
        return Ok(Kept::Dropped);
    }
    let row = ActiveModel {
        state: ActiveValue::Set(letter.state),
        reason: ActiveValue::Set(letter.reason),
        tries: ActiveValue::Set(letter.tries),
        settled_at: ActiveValue::Set(None),
        ..Default::default()
    };
    Entity::update_many().set(row).filter(Column::Id.eq(letter.id)).exec(db).await?;
    Ok(if known.state == letter.state { Kept::Known } else { Kept::New })
}

/// The letter of this id.
pub(crate) async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// How many letters are open.
pub(crate) async fn count_open(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().filter(Column::State.is_in(State::OPEN)).count(db).await
}

/// How many letters of `consumer` are open.
pub(crate) async fn count_open_of(db: &impl ConnectionTrait, consumer: &str) -> Result<u64, DbErr> {
    let open = Entity::find().filter(Column::State.is_in(State::OPEN)).filter(Column::Consumer.eq(consumer));
    open.count(db).await
}

/// Moves a letter from one of the states `from` to `to`, which settles it. False when it was in none of them.
pub(crate) async fn settle(
    db: &impl ConnectionTrait,
    id: Uuid,
    from: impl IntoIterator<Item = State>,
    to: State,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row =
        ActiveModel { state: ActiveValue::Set(to), settled_at: ActiveValue::Set(Some(now)), ..Default::default() };
    let moved = Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::State.is_in(from));
    Ok(moved.exec(db).await?.rows_affected == 1)
}

/// Removes letters settled before `before`, at most `most` of them.
pub(super) async fn forget(db: &impl ConnectionTrait, before: DateTime<Utc>, most: u64) -> Result<u64, DbErr> {
    let old = Entity::find().select_only().column(Column::Id).filter(Column::SettledAt.lt(before)).limit(most);
    let old: Vec<Uuid> = old.into_tuple().all(db).await?;
    Ok(Entity::delete_many().filter(Column::Id.is_in(old)).exec(db).await?.rows_affected)
}

fn headers(message: &Message) -> Json {
    message
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), Json::String(value.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Which of `events` the consumer keeps a letter of and does not try again.
pub(crate) async fn known(
    db: &impl ConnectionTrait,
    consumer: &str,
    events: &HashSet<Uuid>,
) -> Result<Vec<Uuid>, DbErr> {
    let letters = Entity::find().select_only().column(Column::Headers).filter(Column::Consumer.eq(consumer));
    let letters = letters.filter(Column::State.ne(State::Failing));
    let letters: Vec<Json> = letters.into_tuple().all(db).await?;
    let ids = letters.iter().filter_map(|headers| headers[header::ID].as_str()?.parse().ok());
    Ok(ids.filter(|id| events.contains(id)).collect())
}
