//! What people signed.

use chrono::{DateTime, Utc};
use lasegue_protocol::record::Adjudication;
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

use crate::json;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "adjudications")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) episode_id: Uuid,
    pub(crate) body: Json,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row of an adjudication. Its id follows from its content: the same one signed twice is one.
pub(crate) fn row(episode: Uuid, adjudication: &Adjudication) -> Model {
    let body = json::of(adjudication);
    // A namespace of their own: no sender's id of a submission can ever give the same id.
    let namespace = Uuid::new_v5(&episode, b"adjudications");
    let id = Uuid::new_v5(&namespace, json::canonical(body.clone()).as_bytes());
    Model { id, episode_id: episode, body, at: adjudication.at.to_utc() }
}

/// All adjudications of an episode, oldest first.
pub(crate) async fn of_episode(db: &impl ConnectionTrait, episode: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::EpisodeId.eq(episode)).order_by_asc(Column::At).order_by_asc(Column::Id).all(db).await
}
