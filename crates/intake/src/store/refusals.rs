//! The quarantine: what was refused, byte for byte.

use chrono::{DateTime, Utc};
use lasegue_contracts::intake::RefusalReason;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect};

use crate::document::Refs;

/// As many refusals of one episode as are shown.
const MOST_SHOWN: u64 = 100;
/// As many bytes of bodies and faults as are shown.
const MOST_BYTES: usize = 4 << 20;

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
    /// Who sent it; empty in rows from before this was kept.
    pub(crate) sender: String,
    pub(crate) key: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) faults: Json,
    pub(crate) content_hash: String,
    /// Why on-call was told; none when it was not.
    pub(crate) reason: Option<Reason>,
    pub(crate) received_at: DateTime<Utc>,
    /// When the same body came again, and how often it came.
    pub(crate) last_received_at: Option<DateTime<Utc>>,
    pub(crate) times: i64,
    pub(crate) corrected_at: Option<DateTime<Utc>>,
    /// The episode under whose alert it was told, when it shares one; then perhaps its own.
    pub(crate) told_under: Option<Uuid>,
}

impl Model {
    /// The episode in whose alert it is.
    pub(crate) fn alert(&self) -> Uuid {
        self.told_under.unwrap_or(self.episode_id)
    }
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

/// Keeps a refusal.
pub(crate) async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(drop)
}

/// The refusal of the same body of the same sender that nothing has corrected yet.
pub(crate) async fn open(
    db: &impl ConnectionTrait,
    episode: Uuid,
    content_hash: &str,
    sender: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .filter(Column::ContentHash.eq(content_hash))
        .filter(Column::Sender.eq(sender))
        .filter(Column::CorrectedAt.is_null())
        .one(db)
        .await
}

/// The episode under whose alert refusals of this sender are told that share one, if a burst of them began after `since`.
pub(crate) async fn burst(
    db: &impl ConnectionTrait,
    sender: &str,
    since: DateTime<Utc>,
) -> Result<Option<Uuid>, DbErr> {
    let first = Entity::find()
        .filter(Column::Sender.eq(sender))
        .filter(Column::ReceivedAt.gt(since))
        .filter(Expr::col(Column::ToldUnder).eq(Expr::col(Column::EpisodeId)))
        .order_by_desc(Column::ReceivedAt)
        .one(db)
        .await?;
    Ok(first.map(|row| row.episode_id))
}

/// Notes that a refused body came again.
pub(crate) async fn mark_repeated(db: &impl ConnectionTrait, refusal: &Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Times, Expr::col(Column::Times).add(1))
        .col_expr(Column::LastReceivedAt, Expr::value(now))
        .filter(Column::Id.eq(refusal.id))
        .exec(db)
        .await
        .map(drop)
}

/// The open refusals of an episode that an accepted submission of the same `sender` corrects: those of one of the
/// `sender_ids`, or sent under the same `key`. What another sender says settles nothing.
pub(crate) async fn corrected_by(
    db: &impl ConnectionTrait,
    episode: Uuid,
    sender: &str,
    sender_ids: &[String],
    key: Option<&str>,
) -> Result<Vec<Model>, DbErr> {
    let mut same = Condition::any().add(Column::SenderId.is_in(sender_ids));
    if let Some(key) = key {
        same = same.add(Column::Key.eq(key));
    }
    Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .filter(Column::Sender.eq(sender))
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

/// The refusals of an episode, newest first: at most 100, and no more bytes than [`MOST_BYTES`] but for one. They are read
/// one by one, so that no more of them is in memory either.
pub(crate) async fn of_episode(db: &impl ConnectionTrait, episode: Uuid) -> Result<Vec<Model>, DbErr> {
    let newest = Entity::find()
        .filter(Column::EpisodeId.eq(episode))
        .order_by_desc(Column::ReceivedAt)
        .order_by_desc(Column::Id)
        .limit(MOST_SHOWN);
    let ids: Vec<Uuid> = newest.select_only().column(Column::Id).into_tuple().all(db).await?;
    let (mut shown, mut bytes) = (Vec::new(), 0);
    for id in ids {
        let Some(row) = Entity::find_by_id(id).one(db).await? else { continue };
        bytes += row.body.len() + row.faults.to_string().len();
        if bytes > MOST_BYTES && !shown.is_empty() {
            break;
        }
        shown.push(row);
    }
    Ok(shown)
}

/// Removes refusals of which nobody was told and that came before `before`, at most `most`. True when that was all.
pub(crate) async fn forget(db: &impl ConnectionTrait, before: DateTime<Utc>, most: u64) -> Result<bool, DbErr> {
    let old: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Reason.is_null())
        .filter(Column::ReceivedAt.lt(before))
        .limit(most)
        .into_tuple()
        .all(db)
        .await?;
    let all = (old.len() as u64) < most;
    Entity::delete_many().filter(Column::Id.is_in(old)).exec(db).await?;
    Ok(all)
}
