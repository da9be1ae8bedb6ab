//! Accepted submissions, never changed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use lasegue_protocol::record::{Submission, SubmissionId};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect};

use super::Page;
use crate::json;

/// Submissions of one page; of each a few texts are shown.
const PAGE: usize = 100;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "submissions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) episode_id: Uuid,
    /// The sender's id. It never leaves this service.
    pub(crate) sender_id: String,
    /// The submission as the record has it, with the sender's ids.
    pub(crate) body: Json,
    pub(crate) content_hash: String,
    pub(crate) assessed_at: DateTime<Utc>,
    pub(crate) received_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Our id of a sender's submission: the same whenever and however often it arrives.
pub(crate) fn id_of(episode: Uuid, sender_id: &SubmissionId) -> Uuid {
    Uuid::new_v5(&episode, sender_id.0.as_bytes())
}

/// The submission that the sender calls `name`, be it by the sender's own id or by ours.
pub(crate) async fn resolve(
    db: &impl ConnectionTrait,
    episode: Uuid,
    name: &SubmissionId,
) -> Result<Option<Model>, DbErr> {
    let ours = id_of(episode, name);
    let either = [Some(ours), name.0.parse().ok()].into_iter().flatten();
    Entity::find().filter(Column::EpisodeId.eq(episode)).filter(Column::Id.is_in(either)).one(db).await
}

/// The latest submissions of an episode by time of assessment; the latest before one of them, if `before` names it.
pub(crate) async fn page(db: &impl ConnectionTrait, episode: Uuid, before: Option<Uuid>) -> Result<Page<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::EpisodeId.eq(episode));
    if let Some(before) = before {
        let at =
            Entity::find_by_id(before).filter(Column::EpisodeId.eq(episode)).one(db).await?.map(|row| row.assessed_at);
        let same = Condition::all().add(Column::AssessedAt.eq(at)).add(Column::Id.lt(before));
        query = query.filter(Condition::any().add(Column::AssessedAt.lt(at)).add(same));
    }
    let newest = query.order_by_desc(Column::AssessedAt).order_by_desc(Column::Id).limit(PAGE as u64 + 1);
    Ok(Page::of(newest.all(db).await?, PAGE))
}

/// How many submissions an episode has.
pub(crate) async fn count(db: &impl ConnectionTrait, episode: Uuid) -> Result<u64, DbErr> {
    Entity::find().filter(Column::EpisodeId.eq(episode)).count(db).await
}

/// Rows of one statement: both databases count its values, and have a limit.
const ROWS: usize = 500;

/// Which of `ids` are there, each with the hash of its content.
pub(crate) async fn known(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, DbErr> {
    let mut known = HashMap::new();
    for some in ids.chunks(ROWS) {
        let found = Entity::find().select_only().columns([Column::Id, Column::ContentHash]);
        let found = found.filter(Column::Id.is_in(some.iter().copied())).into_tuple::<(Uuid, String)>();
        known.extend(found.all(db).await?);
    }
    Ok(known)
}

/// Keeps new submissions.
pub(crate) async fn keep(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    for some in rows.chunks(ROWS) {
        let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Removes at most `most` submissions that came ahead of an episode which never came. False when there were none.
pub(crate) async fn remove_some(db: &impl ConnectionTrait, episode: Uuid, most: u64) -> Result<bool, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::EpisodeId.eq(episode)).limit(most);
    let ids: Vec<Uuid> = ids.into_tuple().all(db).await?;
    let any = !ids.is_empty();
    Entity::delete_many().filter(Column::Id.is_in(ids)).exec(db).await?;
    Ok(any)
}

/// The row of an accepted submission.
pub(crate) fn row(episode: Uuid, submission: &Submission) -> Model {
    let body = json::of(submission);
    Model {
        id: id_of(episode, &submission.id),
        episode_id: episode,
        sender_id: submission.id.0.clone(),
        content_hash: content_hash(&body),
        body,
        assessed_at: submission.assessed_at.to_utc(),
        received_at: submission.received_at.map(|at| at.to_utc()),
    }
}

/// The hash of what was reported; when it was received does not count.
fn content_hash(body: &Json) -> String {
    let mut content = body.clone();
    if let Some(fields) = content.as_object_mut() {
        fields.remove("received_at");
    }
    json::hash(json::canonical(content).as_bytes())
}
