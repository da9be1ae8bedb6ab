//! Answers kept under their idempotency keys, so that a retry is answered alike and taken once.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

use crate::error::IntakeError;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "requests")]
pub(crate) struct Model {
    /// What the key belongs to: `episodes`, or the submissions or adjudications of an episode by one sender.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) scope: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) key: String,
    pub(crate) content_hash: String,
    /// The id that was answered.
    pub(crate) answer: Uuid,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A key within its scope, with the hash of the body it came with.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) scope: String,
    pub(crate) key: String,
    pub(crate) content_hash: String,
}

impl Request {
    /// The answer given before, if this is a retry.
    ///
    /// # Errors
    /// When the key stands for another body.
    pub(crate) async fn answered(&self, db: &impl ConnectionTrait) -> Result<Option<Uuid>, IntakeError> {
        match Entity::find_by_id((self.scope.clone(), self.key.clone())).one(db).await? {
            Some(row) if row.content_hash != self.content_hash => Err(IntakeError::KeyReused),
            found => Ok(found.map(|row| row.answer)),
        }
    }

    /// Keeps the answer.
    pub(crate) async fn keep(self, db: &impl ConnectionTrait, answer: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
        let row = ActiveModel {
            scope: Set(self.scope),
            key: Set(self.key),
            content_hash: Set(self.content_hash),
            answer: Set(answer),
            created_at: Set(now),
        };
        Entity::insert(row).exec_without_returning(db).await.map(drop)
    }
}

/// Removes keys from before `before`, at most `most`. True when that was all.
pub(crate) async fn forget(db: &impl ConnectionTrait, before: DateTime<Utc>, most: u64) -> Result<bool, DbErr> {
    let old: Vec<(String, String)> = Entity::find()
        .select_only()
        .columns([Column::Scope, Column::Key])
        .filter(Column::CreatedAt.lt(before))
        .limit(most)
        .into_tuple()
        .all(db)
        .await?;
    for (scope, key) in &old {
        Entity::delete_by_id((scope.clone(), key.clone())).exec(db).await?;
    }
    Ok((old.len() as u64) < most)
}
