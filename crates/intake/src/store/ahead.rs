//! Episodes that are not there yet although pieces of them are: a large import is under way, or broke off.

use chrono::{DateTime, Utc};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

use super::{adjudications, submissions};
use crate::error::IntakeError;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ahead")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) episode_id: Uuid,
    pub(crate) begun_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Notes that pieces of an episode come ahead of it.
pub(crate) async fn begin(db: &impl ConnectionTrait, episode: Uuid, now: DateTime<Utc>) -> Result<(), IntakeError> {
    let row = Model { episode_id: episode, begun_at: now };
    Ok(Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(drop)?)
}

/// Notes that all pieces of an episode are there. How many rows that were: none once the pieces were removed again.
pub(crate) async fn end(db: &impl ConnectionTrait, episode: Uuid) -> Result<u64, DbErr> {
    Ok(Entity::delete_by_id(episode).exec(db).await?.rows_affected)
}

/// Removes some pieces that came before `before` and whose episode has not come, at most `most` of each kind. True when
/// that was all.
pub(crate) async fn forget(db: &impl ConnectionTrait, before: DateTime<Utc>, most: u64) -> Result<bool, DbErr> {
    let Some(left) = Entity::find().filter(Column::BegunAt.lt(before)).one(db).await? else { return Ok(true) };
    let reported = submissions::remove_some(db, left.episode_id, most).await?;
    let signed = adjudications::remove_some(db, left.episode_id, most).await?;
    if !reported && !signed {
        end(db, left.episode_id).await?;
    }
    Ok(false)
}
