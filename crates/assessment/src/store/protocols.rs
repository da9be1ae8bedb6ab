//! Protocols by the hash of their text; one of them is active.

use chrono::{DateTime, Utc};
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "protocols")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) sha256: String,
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) toml: String,
    pub(crate) active: bool,
    pub(crate) stored_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The hash of the active protocol.
pub(crate) async fn active(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    Entity::find().select_only().column(Column::Sha256).filter(Column::Active.eq(true)).into_tuple().one(db).await
}
