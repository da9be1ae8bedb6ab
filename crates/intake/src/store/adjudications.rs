//! What people signed.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use lasegue_protocol::record::Adjudication;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect};

use super::Page;
use crate::json;

/// Adjudications of one page; the note of one may take 40 kilobytes.
const PAGE: usize = 25;

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

/// The row of an adjudication. Its id follows from what was signed: the same one signed twice is one, whenever it came.
pub(crate) fn row(episode: Uuid, adjudication: &Adjudication) -> Model {
    let body = json::of(adjudication);
    let mut content = body.clone();
    if let Some(fields) = content.as_object_mut() {
        fields.remove("received_at");
    }
    // A namespace of their own: no sender's id of a submission can ever give the same id.
    let namespace = Uuid::new_v5(&episode, b"adjudications");
    let id = Uuid::new_v5(&namespace, json::canonical(content).as_bytes());
    Model { id, episode_id: episode, body, at: adjudication.at.to_utc() }
}

/// How many adjudications an episode has.
pub(crate) async fn count(db: &impl ConnectionTrait, episode: Uuid) -> Result<u64, DbErr> {
    Entity::find().filter(Column::EpisodeId.eq(episode)).count(db).await
}

/// Rows of one statement: both databases count its values, and have a limit.
const ROWS: usize = 500;

/// Which of `ids` are there.
pub(crate) async fn known(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    let mut known = HashSet::new();
    for some in ids.chunks(ROWS) {
        let found = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(some.iter().copied()));
        known.extend(found.into_tuple::<Uuid>().all(db).await?);
    }
    Ok(known)
}

/// Keeps new adjudications.
pub(crate) async fn keep(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    for some in rows.chunks(ROWS) {
        let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Removes at most `most` adjudications that came ahead of an episode which never came. False when there were none.
pub(crate) async fn remove_some(db: &impl ConnectionTrait, episode: Uuid, most: u64) -> Result<bool, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::EpisodeId.eq(episode)).limit(most);
    let ids: Vec<Uuid> = ids.into_tuple().all(db).await?;
    let any = !ids.is_empty();
    Entity::delete_many().filter(Column::Id.is_in(ids)).exec(db).await?;
    Ok(any)
}

/// The latest adjudications of an episode; the latest before one of them, if `before` names it.
pub(crate) async fn page(db: &impl ConnectionTrait, episode: Uuid, before: Option<Uuid>) -> Result<Page<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::EpisodeId.eq(episode));
    if let Some(before) = before {
        let at = Entity::find_by_id(before).filter(Column::EpisodeId.eq(episode)).one(db).await?.map(|row| row.at);
        let same = Condition::all().add(Column::At.eq(at)).add(Column::Id.lt(before));
        query = query.filter(Condition::any().add(Column::At.lt(at)).add(same));
    }
    let newest = query.order_by_desc(Column::At).order_by_desc(Column::Id).limit(PAGE as u64 + 1);
    Ok(Page::of(newest.all(db).await?, PAGE))
}
