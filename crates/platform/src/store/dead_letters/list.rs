//! Dead letters in pages, without their bodies.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect};

use super::{Column, Entity, Model, State};

/// A letter in a list.
#[derive(Clone, Debug, sea_orm::FromQueryResult)]
pub(crate) struct Line {
    pub(crate) id: Uuid,
    pub(crate) consumer: String,
    pub(crate) subject: String,
    pub(crate) headers: Json,
    pub(crate) reason: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) state: State,
    pub(crate) tries: i32,
    pub(crate) settled_at: Option<DateTime<Utc>>,
}

impl From<Line> for Model {
    fn from(line: Line) -> Self {
        let Line { id, consumer, subject, headers, reason, created_at, state, tries, settled_at } = line;
        let payload = Vec::new();
        Self { id, consumer, subject, headers, payload, reason, created_at, state, tries, settled_at }
    }
}

/// Where a list goes on: after the letter that was told of then under this id.
pub(crate) type After = (DateTime<Utc>, Uuid);

/// Letters in one of `states`, the oldest first, at most `most`.
pub(crate) async fn in_states(
    db: &impl ConnectionTrait,
    states: &[State],
    after: Option<After>,
    most: u64,
) -> Result<Vec<Line>, DbErr> {
    let later = after.map(|(at, id)| {
        let same = Condition::all().add(Column::CreatedAt.eq(at)).add(Column::Id.gt(id));
        Condition::any().add(Column::CreatedAt.gt(at)).add(same)
    });
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::Consumer, Column::Subject, Column::Headers, Column::Reason])
        .columns([Column::CreatedAt, Column::State, Column::Tries, Column::SettledAt])
        .filter(Column::State.is_in(states.iter().copied()))
        .filter(later.unwrap_or_else(Condition::all))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(most)
        .into_model::<Line>()
        .all(db)
        .await
}
