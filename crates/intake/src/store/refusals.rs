//! The quarantine: what was refused, byte for byte.

use chrono::{DateTime, Utc};
use lasegue_contracts::intake::RefusalReason;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use crate::document::Refs;

/// As many refusals of one episode as are shown.
const MOST_SHOWN: u64 = 100;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "refusals")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The episode, or the id kept for one that could not be registered yet.
    pub(crate) episode_id: Uuid,
    /// The sender's ids of patient and episode, when an import refused the record before it was registered.
    pub(crate) patient_ref: Option<String>,
    pub(crate) episode_ref: Option<String>,
    /// The sender's id of the submission, if it could be read.
    pub(crate) sender_id: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) faults: Json,
    pub(crate) content_hash: String,
    /// Why on-call was told; none when it was not.
    pub(crate) reason: Option<Reason>,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) corrected_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Why on-call must look at a refused body.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// What could be read of it holds a danger sign.
    DangerSign,
    /// Nothing of it could be read.
    Unreadable,
}

impl Reason {
    /// The word for it in answers.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::DangerSign => "danger-sign",
            Self::Unreadable => "unreadable",
        }
    }
}

impl From<Reason> for RefusalReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::DangerSign => Self::DangerSign,
            Reason::Unreadable => Self::Unreadable,
        }
    }
}

/// The open refusals of an episode that an accepted submission corrects: those of one of the `sender_ids`, or sent under the
/// same `key`.
pub(crate) async fn corrected_by(
    db: &impl ConnectionTrait,
    episode: Uuid,
    sender_ids: &[String],
    key: Option<&str>,
) -> Result<Vec<Model>, DbErr> {
    let mut same = sea_orm::Condition::any().add(Column::SenderId.is_in(sender_ids));
    if let Some(key) = key {
        same = same.add(Column::Key.eq(key));
    }
    Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .filter(Column::CorrectedAt.is_null())
        .filter(same)
        .all(db)
        .await
}

/// Notes that refusals were corrected.
pub(crate) async fn mark_corrected(
    db: &impl ConnectionTrait,
    refusals: &[Model],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::CorrectedAt, Expr::value(now))
        .filter(Column::Id.is_in(refusals.iter().map(|refusal| refusal.id)))
        .exec(db)
        .await
        .map(drop)
}

/// The id that was kept for an episode when a record of it was refused before it was registered.
pub(crate) async fn kept_id(db: &impl ConnectionTrait, refs: &Refs) -> Result<Option<Uuid>, DbErr> {
    let found = Entity::find()
        .filter(Column::PatientRef.eq(&refs.patient))
        .filter(Column::EpisodeRef.eq(&refs.episode))
        .one(db)
        .await?;
    Ok(found.map(|row| row.episode_id))
}

/// The refusals of an episode, newest first, at most 100.
pub(crate) async fn of_episode(db: &impl ConnectionTrait, episode: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .order_by_desc(Column::ReceivedAt)
        .order_by_desc(Column::Id)
        .limit(MOST_SHOWN)
        .all(db)
        .await
}
