//! Where each episode's record stands.

use chrono::{DateTime, Utc};
use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect, TryInsertResult};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "episodes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// Grows with each commit of the record: see [`next_revision`].
    pub(crate) revision: i64,
    /// The version of `blocks` as intake counts it, from 1; 0 before the episode has arrived.
    pub(crate) blocks_version: i64,
    /// `{ "patient": ..., "episode": ... }`.
    pub(crate) blocks: Option<Json>,
    /// Alerting was last told of an active emergency or urgent finding.
    pub(crate) flagged: bool,
    /// The active emergencies and urgent findings of the latest result: a list of [`crate::remembered::Remembered`].
    pub(crate) active: Json,
    /// What changes of the rules have left behind: a list of [`crate::rule_change::RuleChange`].
    pub(crate) rule_changes: Json,
    /// Somebody has to look at what the rules alone have added.
    pub(crate) to_review: bool,
    /// The hash of the protocol that gave the latest result; none before the first.
    pub(crate) protocol: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// An episode of which nothing is known.
    pub(crate) const fn unknown(id: Uuid) -> Self {
        Self {
            id,
            revision: 0,
            blocks_version: 0,
            blocks: None,
            flagged: false,
            active: Json::Array(Vec::new()),
            rule_changes: Json::Array(Vec::new()),
            to_review: false,
            protocol: None,
        }
    }
}

/// The revision after `read`, as of `now`: the time in milliseconds, or one more when that is no more. A database that was
/// restored from a backup so goes on above all that it had told; a number told before would be ignored by its readers.
pub(crate) fn next_revision(read: i64, now: DateTime<Utc>) -> i64 {
    now.timestamp_millis().max(read + 1)
}

/// Writes `row` one revision on, and gives that revision.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else was faster.
pub(crate) async fn move_on(unit: &Unit, mut row: Model) -> Result<i64, StoreError> {
    let (id, read) = (row.id, row.revision);
    let revision = next_revision(read, unit.now());
    row.revision = revision;
    let values = row.into_active_model().reset_all();
    if read > 0 {
        let updated = Entity::update_many().set(values).filter(Column::Id.eq(id)).filter(Column::Revision.eq(read));
        unit.expect_one(updated.exec(unit.db()).await?.rows_affected)?;
        return Ok(revision);
    }
    let first = OnConflict::column(Column::Id).do_nothing().to_owned();
    let inserted = Entity::insert(values).on_conflict(first).try_insert().exec_without_returning(unit.db()).await?;
    unit.expect_one(u64::from(matches!(inserted, TryInsertResult::Inserted(1))))?;
    Ok(revision)
}

/// Some episodes whose latest result another protocol than `active` gave.
pub(crate) async fn ruled_by_others(db: &impl ConnectionTrait, active: &str, most: u64) -> Result<Vec<Uuid>, DbErr> {
    let ids = |range| Entity::find().select_only().column(Column::Id).filter(range).limit(most).into_tuple();
    // Two ranges of one index, where "not equal" would read all of it.
    let before: Vec<Uuid> = ids(Column::Protocol.lt(active)).all(db).await?;
    if !before.is_empty() {
        return Ok(before);
    }
    ids(Column::Protocol.gt(active)).all(db).await
}

/// The episodes behind `after` with something to review, by id.
pub(crate) async fn to_review(db: &impl ConnectionTrait, after: Option<Uuid>, most: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ToReview.eq(true))
        .filter(Column::Id.gt(after.unwrap_or_default()))
        .order_by_asc(Column::Id)
        .limit(most)
        .all(db)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_above_all_that_were_told_before_even_when_the_database_went_back() {
        let at = |millis| DateTime::from_timestamp_millis(millis).expect("a date in 2026");
        let told = next_revision(next_revision(0, at(1_790_000_000_000)), at(1_790_000_000_000));
        assert_eq!(told, 1_790_000_000_001, "twice in a millisecond are two");
        assert!(next_revision(0, at(1_790_000_060_000)) > told, "a minute later, without its last commits");
        assert_eq!(next_revision(told, at(0)), told + 1, "the clock was set back");
    }
}
