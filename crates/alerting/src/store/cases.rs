//! The case's own row. Its `version` counts every change, so that two decisions cannot both be saved.

use std::collections::{BTreeMap, BTreeSet};

use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, TryInsertResult};

use crate::case::Case;
use crate::ids::{CaseId, RefusalId, Revision};
use crate::store::{corrupt, json};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cases")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    revision: Option<i64>,
    news: Option<i64>,
    version: i64,
    corrected_early: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A case's row as it was read: version 0 when there was none.
pub(super) async fn load(db: &impl ConnectionTrait, id: CaseId) -> Result<(Case, i64), StoreError> {
    let Some(row) = Entity::find_by_id(id.0).one(db).await? else { return Ok((Case::new(id), 0)) };
    let corrected: BTreeSet<RefusalId> =
        serde_json::from_value(row.corrected_early).map_err(|_| corrupt(format!("case {id}")))?;
    let count = |stored: Option<i64>| stored.map(|stored| stored.try_into().map(Revision)).transpose();
    let counts = count(row.revision).and_then(|revision| Ok((revision, count(row.news)?)));
    let (revision, news) = counts.map_err(|_| corrupt(format!("case {id}")))?;
    let case = Case { revision, news: news.unwrap_or_default(), corrected_early: corrected, ..Case::new(id) };
    Ok((case, row.version))
}

/// What a person who looks at each of `cases` has seen, as far as there are any.
pub(super) async fn shown(
    db: &impl ConnectionTrait,
    cases: BTreeSet<CaseId>,
) -> Result<BTreeMap<CaseId, Revision>, StoreError> {
    let rows = Entity::find().filter(Column::Id.is_in(cases.into_iter().map(|case| case.0))).all(db).await?;
    let shown = |row: Model| Some((CaseId(row.id), Revision(row.revision.max(row.news)?.try_into().ok()?)));
    Ok(rows.into_iter().filter_map(shown).collect())
}

fn count(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

/// Saves the case's row over the `version` that was read, or says that somebody was faster.
pub(super) async fn save(unit: &Unit, case: &Case, version: i64) -> Result<(), StoreError> {
    let row = ActiveModel {
        id: ActiveValue::Set(case.id.0),
        revision: ActiveValue::Set(case.revision.map(count)),
        news: ActiveValue::Set(Some(count(case.news))),
        version: ActiveValue::Set(version + 1),
        corrected_early: ActiveValue::Set(json(&case.corrected_early)?),
    };
    if version > 0 {
        let saved = Entity::update_many().set(row).filter(Column::Id.eq(case.id.0)).filter(Column::Version.eq(version));
        return unit.expect_one(saved.exec(unit.db()).await?.rows_affected);
    }
    let first = OnConflict::column(Column::Id).do_nothing().to_owned();
    let inserted = Entity::insert(row).on_conflict(first).try_insert().exec_without_returning(unit.db()).await?;
    unit.expect_one(u64::from(matches!(inserted, TryInsertResult::Inserted(1))))
}
