//! When the next step is due of alerts that were kept before that had a column of its own: read from what they hold, so
//! that the auditor takes none of them for overlooked.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};
use sea_orm_migration::prelude::*;
use serde::Deserialize;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Alerts that are read at once.
const BATCH: u64 = 500;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (db, mut after) = (manager.get_connection(), Uuid::nil());
        loop {
            let active = Entity::find().filter(Column::State.ne("closed")).filter(Column::NextAt.is_null());
            let batch = active.filter(Column::Id.gt(after)).order_by_asc(Column::Id).limit(BATCH).all(db).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            after = last.id;
            for row in batch {
                fill(db, row).await?;
            }
        }
    }
}

/// What cannot be read stays as it is: the auditor then tells of it, and rightly.
async fn fill(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let body = serde_json::from_value::<Body>(row.body).ok();
    let Some(next_at) = body.and_then(Body::next) else { return Ok(()) };
    let row =
        ActiveModel { id: ActiveValue::Set(row.id), next_at: ActiveValue::Set(Some(next_at)), ..Default::default() };
    Entity::update(row).exec(db).await.map(drop)
}

/// The table as it was then.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    state: String,
    next_at: Option<ChronoDateTimeUtc>,
    body: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An alert as it was then.
#[derive(Deserialize)]
struct Body {
    memory: Memory,
    state: State,
}

#[derive(Deserialize)]
struct Memory {
    urgency: String,
    respond_by: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
enum State {
    Listed { planned: Option<Planned> },
    Open { chain: Chain },
    Accepted { at: DateTime<Utc>, lapses_at: DateTime<Utc> },
    Closed,
}

#[derive(Deserialize)]
struct Planned {
    at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Chain {
    due: DateTime<Utc>,
}

impl Body {
    fn next(self) -> Option<DateTime<Utc>> {
        match self.state {
            State::Listed { planned } => planned.map(|planned| planned.at),
            State::Open { chain } => Some(chain.due),
            State::Accepted { at, lapses_at } => {
                let limit = self.memory.respond_by;
                let ends_before = self.memory.urgency != "emergency" && at < limit && limit < lapses_at;
                Some(if ends_before { limit } else { lapses_at })
            }
            State::Closed => None,
        }
    }
}
