//! The plan of each episode, with its place on the worklist.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use sea_orm::IntoActiveModel;
use sea_orm::TryInsertResult;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::plan::{Plan, State, Window};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plans")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) episode_id: Uuid,
    /// Of the result that it follows from.
    pub(crate) revision: i64,
    pub(crate) kind: String,
    pub(crate) earliest: Option<NaiveDate>,
    pub(crate) latest: Option<NaiveDate>,
    pub(crate) time_zone: String,
    /// See [`State`].
    pub(crate) state: String,
    /// The gravest active finding's: `emergency`, `urgent` or none.
    pub(crate) severity: Option<String>,
    /// The place on the worklist: see [`crate::worklist::rank`].
    pub(crate) rank: i16,
    /// The day to sort by within a rank, ISO; the far future without one.
    pub(crate) sort_day: String,
    pub(crate) planned_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The plan in the row.
    pub(crate) fn plan(&self) -> Plan {
        let zone = self.time_zone.parse().unwrap_or(Tz::UTC);
        let window = self.earliest.zip(self.latest).map(|(earliest, latest)| Window { earliest, latest, zone });
        Plan { kind: self.kind.clone(), window }
    }

    /// The state in the row.
    pub(crate) fn state(&self) -> State {
        State::ALL.into_iter().find(|state| state.name() == self.state).unwrap_or(State::Unplanned)
    }
}

/// Writes `row` over the one that was read at `read`. False when it has moved on since.
pub(crate) async fn replace(db: &impl ConnectionTrait, row: Model, read: Option<i64>) -> Result<bool, DbErr> {
    let (episode, values) = (row.episode_id, row.into_active_model().reset_all());
    let Some(read) = read else {
        let inserted = Entity::insert(values)
            .on_conflict(OnConflict::column(Column::EpisodeId).do_nothing().to_owned())
            .try_insert()
            .exec_without_returning(db)
            .await?;
        return Ok(matches!(inserted, TryInsertResult::Inserted(1)));
    };
    let updated = Entity::update_many()
        .set(values)
        .filter(Column::EpisodeId.eq(episode))
        .filter(Column::Revision.eq(read))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}
