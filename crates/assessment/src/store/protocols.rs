//! Protocols by the hash of their text; at most one of them is active.

use chrono::{DateTime, Utc};
use lasegue_platform::store::{StoreError, Unit};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect, SqlErr, TryInsertResult};

use super::activations;

/// Rows of one answer: the latest.
const MOST: u64 = 100;

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

impl State {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
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

/// Keeps a protocol. False when it was there before, or is to be the active one and another is.
pub(crate) async fn keep(db: &impl ConnectionTrait, protocol: Model) -> Result<bool, DbErr> {
    let known = OnConflict::new().do_nothing().to_owned();
    let kept = Entity::insert(protocol.into_active_model()).on_conflict(known).try_insert();
    Ok(matches!(kept.exec_without_returning(db).await?, TryInsertResult::Inserted(1)))
}

/// The protocols that were brought last, the latest first.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_desc(Column::StoredAt).limit(MOST).all(db).await
}

/// The latest activations, newest first.
pub(crate) async fn activations(db: &impl ConnectionTrait) -> Result<Vec<activations::Model>, DbErr> {
    activations::Entity::find().order_by_desc(activations::Column::Number).limit(MOST).all(db).await
}

/// A protocol that nobody else changes until the unit ends.
pub(crate) async fn hold(unit: &Unit, sha256: &str) -> Result<Option<Model>, StoreError> {
    Ok(Entity::find_by_id(sha256).lock_exclusive().one(unit.db()).await?)
}

/// Makes a held protocol the active one, retires the one before and writes down who approved it on what grounds.
///
/// # Errors
/// [`StoreError::Conflict`] when another was made the active one at the same time.
pub(crate) async fn activate(unit: &Unit, row: Model, approver: String, backtest: String) -> Result<(), StoreError> {
    let retired = ActiveModel { state: Set(State::Retired), ..Default::default() };
    Entity::update_many().set(retired).filter(Column::State.eq(State::Active)).exec(unit.db()).await?;
    let active = ActiveModel {
        sha256: Set(row.sha256.clone()),
        state: Set(State::Active),
        approved_by: Set(Some(approver.clone())),
        activated_at: Set(Some(unit.now())),
        ..Default::default()
    };
    Entity::update(active).exec(unit.db()).await.map_err(one_is_active)?;
    let activation = activations::ActiveModel {
        number: NotSet,
        sha256: Set(row.sha256),
        approved_by: Set(approver),
        backtest: Set(backtest),
        activated_at: Set(unit.now()),
    };
    activations::Entity::insert(activation).exec(unit.db()).await?;
    Ok(())
}

/// The database lets one protocol be active.
fn one_is_active(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Conflict,
        _ => error.into(),
    }
}
