//! The quarantine: what was refused, byte for byte, until somebody corrected it.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "refusals")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) episode_id: Uuid,
    pub(crate) sender_id: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) faults: Json,
    pub(crate) content_hash: String,
    /// Whether on-call was told.
    pub(crate) alerted: bool,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) corrected_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The refusals of an episode that on-call was told of and that an accepted submission corrects: one that bears or replaces
/// one of `sender_ids`, or was sent under the same `key`.
pub(crate) async fn corrected_by(
    db: &impl ConnectionTrait,
    episode: Uuid,
    sender_ids: &[String],
    key: Option<&str>,
) -> Result<Vec<Uuid>, DbErr> {
    let mut same = sea_orm::Condition::any().add(Column::SenderId.is_in(sender_ids));
    if let Some(key) = key {
        same = same.add(Column::Key.eq(key));
    }
    let open = Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .filter(Column::Alerted.eq(true))
        .filter(Column::CorrectedAt.is_null())
        .filter(same)
        .all(db)
        .await?;
    Ok(open.into_iter().map(|row| row.id).collect())
}

/// Notes that refusals were corrected.
pub(crate) async fn mark_corrected(db: &impl ConnectionTrait, ids: &[Uuid], now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::CorrectedAt, Expr::value(now))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(db)
        .await
        .map(drop)
}
