//! Who made which protocol the active one, when, and on what grounds. Rows are only ever added.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "activations")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) number: i64,
    pub(crate) sha256: String,
    pub(crate) approved_by: String,
    /// What the backtest showed, as the approver gave it.
    pub(crate) backtest: String,
    pub(crate) activated_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
