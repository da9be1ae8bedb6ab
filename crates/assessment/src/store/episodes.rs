//! Where each episode's record stands.

use sea_orm::ActiveValue::Set;
use sea_orm::TryInsertResult;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "episodes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// Counts the commits of the record.
    pub(crate) revision: i64,
    /// The version of `blocks` as intake counts it; 0 before the episode has arrived.
    pub(crate) blocks_version: i64,
    /// `{ "patient": ..., "episode": ... }`.
    pub(crate) blocks: Option<Json>,
    /// The latest result holds an emergency or urgent finding.
    pub(crate) flagged: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes `row` over the one that was read at `read`. False when it has moved on since.
pub(crate) async fn replace(db: &impl ConnectionTrait, row: Model, read: Option<i64>) -> Result<bool, DbErr> {
    let id = row.id;
    let values = ActiveModel {
        id: Set(row.id),
        revision: Set(row.revision),
        blocks_version: Set(row.blocks_version),
        blocks: Set(row.blocks),
        flagged: Set(row.flagged),
    };
    let Some(read) = read else {
        let inserted = Entity::insert(values)
            .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
            .try_insert()
            .exec_without_returning(db)
            .await?;
        return Ok(matches!(inserted, TryInsertResult::Inserted(1)));
    };
    let updated =
        Entity::update_many().set(values).filter(Column::Id.eq(id)).filter(Column::Revision.eq(read)).exec(db).await?;
    Ok(updated.rows_affected == 1)
}
