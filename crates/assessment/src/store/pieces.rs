//! The pieces of the records: submissions and adjudications, each under its own id, never changed.

use sea_orm::ActiveValue::Set;
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pieces")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) episode_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// `submission` or `adjudication`.
    pub(crate) kind: String,
    /// As the public record has it.
    pub(crate) body: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All pieces of an episode by id.
pub(crate) async fn of_episode(db: &impl ConnectionTrait, episode: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::EpisodeId.eq(episode)).order_by_asc(Column::Id).all(db).await
}

/// Keeps a piece; one that is there already stays as it is.
pub(crate) async fn keep(db: &impl ConnectionTrait, piece: Model) -> Result<(), DbErr> {
    let row = ActiveModel {
        episode_id: Set(piece.episode_id),
        id: Set(piece.id),
        kind: Set(piece.kind),
        body: Set(piece.body),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::columns([Column::EpisodeId, Column::Id]).do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(db)
        .await
        .map(drop)
}
