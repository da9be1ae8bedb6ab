//! Every plan there was, by the revision that made it.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use super::plans;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "past_plans")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) episode_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) revision: i64,
    pub(crate) kind: String,
    pub(crate) earliest: Option<NaiveDate>,
    pub(crate) latest: Option<NaiveDate>,
    pub(crate) planned_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Keeps what is planned now, for later.
pub(crate) async fn keep(db: &impl ConnectionTrait, plan: &plans::Model) -> Result<(), DbErr> {
    let row = ActiveModel {
        episode_id: Set(plan.episode_id),
        revision: Set(plan.revision),
        kind: Set(plan.kind.clone()),
        earliest: Set(plan.earliest),
        latest: Set(plan.latest),
        planned_at: Set(plan.planned_at),
    };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// The latest plans of an episode, newest first.
pub(crate) async fn of_episode(db: &impl ConnectionTrait, episode: Uuid, most: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::EpisodeId.eq(episode)).order_by_desc(Column::Revision).limit(most).all(db).await
}
