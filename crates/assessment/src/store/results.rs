//! Every result there ever was, with the revision and the protocol that gave it.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "results")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) episode_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) revision: i64,
    pub(crate) protocol_sha256: String,
    /// The public result object.
    pub(crate) body: Json,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Keeps a result.
pub(crate) async fn keep(db: &impl ConnectionTrait, result: Model) -> Result<(), DbErr> {
    Entity::insert(result.into_active_model()).exec_without_returning(db).await.map(drop)
}

/// The latest results of an episode below revision `before`, newest first.
pub(crate) async fn latest(
    db: &impl ConnectionTrait,
    episode: Uuid,
    before: Option<i64>,
    most: u64,
) -> Result<Vec<Model>, DbErr> {
    let before = before.unwrap_or(i64::MAX);
    Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .filter(Column::Revision.lt(before))
        .order_by_desc(Column::Revision)
        .limit(most)
        .all(db)
        .await
}
