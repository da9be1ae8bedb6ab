//! The plan of each episode, with its place on the worklist.

use chrono::{DateTime, NaiveDate, Utc};
use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{IntoActiveModel, QuerySelect, TryInsertResult};

use super::corrupt;
use crate::messages::Completed;
use crate::plan::{Kind, Plan, State, Window};
use crate::worklist::{Place, Severity};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "plans")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) episode_id: Uuid,
    /// Of the result that it follows from.
    pub(crate) revision: i64,
    /// See [`Kind`].
    pub(crate) kind: String,
    pub(crate) earliest: Option<NaiveDate>,
    pub(crate) latest: Option<NaiveDate>,
    pub(crate) time_zone: String,
    /// The local day of the visit that was assessed.
    pub(crate) assessed_on: NaiveDate,
    /// See [`State`].
    pub(crate) state: String,
    /// The gravest active finding's, if it is an emergency or urgent.
    pub(crate) severity: Option<Severity>,
    /// The active emergency and urgent findings: a list of [`crate::messages::Need`].
    pub(crate) needs: Json,
    /// See [`Place`].
    pub(crate) place: String,
    /// When the plan was first made as it is.
    pub(crate) planned_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The row of a result, in `state`, planned at `planned_at`.
    pub(crate) fn of(completed: &Completed, state: State, planned_at: DateTime<Utc>) -> Result<Self, StoreError> {
        let window = completed.plan.window();
        let row = Self {
            episode_id: completed.episode,
            revision: completed.revision,
            kind: completed.plan.kind().to_string(),
            earliest: window.map(Window::earliest),
            latest: window.map(Window::latest),
            time_zone: completed.zone.name().to_owned(),
            assessed_on: completed.assessed_on,
            state: String::new(),
            severity: completed.severity(),
            needs: serde_json::to_value(&completed.needs).map_err(|error| corrupt(error.to_string()))?,
            place: String::new(),
            planned_at,
        };
        Ok(row.in_state(state))
    }

    /// The row in another state, and so at another place.
    pub(crate) fn in_state(mut self, state: State) -> Self {
        let day = self.latest.unwrap_or(self.assessed_on);
        self.place = Place::of(self.severity, state, day, self.episode_id).to_string();
        state.name().clone_into(&mut self.state);
        self
    }

    /// The plan in the row.
    pub(crate) fn plan(&self) -> Result<Plan, StoreError> {
        let plan = || {
            let (kind, zone) = (Kind::named(&self.kind)?, self.time_zone.parse().ok()?);
            let window = match self.earliest.zip(self.latest) {
                Some((earliest, latest)) => Some(Window::new(earliest, latest, zone)?),
                None => None,
            };
            Plan::new(kind, window)
        };
        plan().ok_or_else(|| corrupt(format!("the plan of episode {}", self.episode_id)))
    }

    /// The state in the row.
    pub(crate) fn state(&self) -> Result<State, StoreError> {
        State::named(&self.state).ok_or_else(|| corrupt(format!("the state of episode {}", self.episode_id)))
    }
}

/// The row of an episode, which nobody else changes until the unit ends.
pub(crate) async fn hold(unit: &Unit, episode: Uuid) -> Result<Option<Model>, StoreError> {
    Ok(Entity::find_by_id(episode).lock_exclusive().one(unit.db()).await?)
}

/// Writes `row` over the one that was held, or as the first.
///
/// # Errors
/// [`StoreError::Conflict`] when there was none and somebody else was faster.
pub(crate) async fn write(unit: &Unit, held: Option<&Model>, row: &Model) -> Result<(), StoreError> {
    let values = row.clone().into_active_model().reset_all();
    if held.is_some() {
        Entity::update(values).exec(unit.db()).await?;
        return Ok(());
    }
    let first = OnConflict::column(Column::EpisodeId).do_nothing().to_owned();
    let inserted = Entity::insert(values).on_conflict(first).try_insert().exec_without_returning(unit.db()).await?;
    unit.expect_one(u64::from(matches!(inserted, TryInsertResult::Inserted(1))))
}
