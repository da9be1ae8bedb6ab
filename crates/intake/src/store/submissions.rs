//! Accepted submissions, never changed.

use chrono::{DateTime, Utc};
use lasegue_protocol::record::{Submission, SubmissionId};
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

use crate::json;

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

/// All submissions of an episode by time of assessment.
pub(crate) async fn of_episode(db: &impl ConnectionTrait, episode: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .order_by_asc(Column::AssessedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
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
