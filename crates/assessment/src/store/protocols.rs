//! Protocols by the hash of their text; at most one of them is active.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{IntoActiveModel, QuerySelect, TryInsertResult};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "protocols")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) sha256: String,
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) toml: String,
    /// Who brought it.
    pub(crate) author: String,
    pub(crate) state: State,
    pub(crate) stored_at: DateTime<Utc>,
    /// Who last made it the active one; none when it never was.
    pub(crate) approved_by: Option<String>,
    pub(crate) activated_at: Option<DateTime<Utc>>,
}

/// How far a protocol has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub(crate) enum State {
    #[sea_orm(string_value = "stored")]
    Stored,
    #[sea_orm(string_value = "active")]
    Active,
    #[sea_orm(string_value = "retired")]
    Retired,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The hash of the active protocol.
pub(crate) async fn active(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let active = Entity::find().select_only().column(Column::Sha256).filter(Column::State.eq(State::Active));
    active.into_tuple().one(db).await
}

/// The same, and it stays active until the transaction ends.
pub(crate) async fn hold_active(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let active = Entity::find().select_only().column(Column::Sha256).filter(Column::State.eq(State::Active));
    active.lock_shared().into_tuple().one(db).await
}

/// Keeps a protocol. False when it was there before.
pub(crate) async fn keep(db: &impl ConnectionTrait, protocol: Model) -> Result<bool, DbErr> {
    let known = OnConflict::column(Column::Sha256).do_nothing().to_owned();
    let kept = Entity::insert(protocol.into_active_model()).on_conflict(known).try_insert();
    Ok(matches!(kept.exec_without_returning(db).await?, TryInsertResult::Inserted(1)))
}
