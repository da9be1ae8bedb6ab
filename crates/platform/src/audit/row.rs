//! The rows of the audit.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::CaseStatement;
use sea_orm::{QueryOrder, QuerySelect};

/// One access, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access")]
pub struct Model {
    /// In the order of writing.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// When the row was written.
    pub at: DateTime<Utc>,
    /// Whose token it was; none when it was not taken.
    pub subject: Option<String>,
    /// That one's role.
    pub role: Option<String>,
    /// The token's id.
    pub token: Option<Uuid>,
    /// From where it came.
    pub peer: String,
    /// The request's id, as in the log.
    pub request: String,
    /// The method.
    pub method: String,
    /// The pattern of the address.
    pub route: String,
    /// What its places held, or what it was about.
    pub object: String,
    /// How it was answered; none for a part of a call and one that was broken off.
    pub status: Option<i16>,
    /// Why the sign-in was refused; `part` or `broken-off` for those.
    pub reason: Option<String>,
    /// For how many calls the row stands.
    pub times: i32,
    /// JSON: the old and new value of each field that was changed, by its pointer.
    pub change: Option<String>,
    /// Its place in the chain, once it is sealed.
    pub number: Option<i64>,
    /// SHA-256 over itself and the hash before it.
    pub hash: Option<Vec<u8>>,
}

/// Rows stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which rows are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those written since then.
    pub since: Option<DateTime<Utc>>,
    /// Those of this name.
    pub subject: Option<String>,
    /// Those about this.
    pub object: Option<String>,
}

/// Whether a row waits for its seal.
pub(super) async fn any_unsealed(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(!unsealed(db, 1).await?.is_empty())
}

/// The first that wait.
pub(super) async fn unsealed(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Number.is_null()).order_by_asc(Column::Id).limit(most).all(db).await
}

/// How many wait.
pub(super) async fn count_unsealed(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().filter(Column::Number.is_null()).count(db).await
}

/// Gives each of the rows its number and hash, in one statement.
pub(super) async fn seal(db: &impl ConnectionTrait, sealed: Vec<(i64, i64, Vec<u8>)>) -> Result<(), DbErr> {
    if sealed.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = sealed.iter().map(|(id, ..)| *id).collect();
    let (mut numbers, mut hashes) = (CaseStatement::new(), CaseStatement::new());
    for (id, number, hash) in sealed {
        numbers = numbers.case(Column::Id.eq(id), number);
        hashes = hashes.case(Column::Id.eq(id), hash);
    }
    let update = Entity::update_many().col_expr(Column::Number, numbers.into()).col_expr(Column::Hash, hashes.into());
    update.filter(Column::Id.is_in(ids)).exec(db).await.map(drop)
}

/// Sealed rows after number `after`, up to `end`.
pub(super) async fn sealed_after(
    db: &impl ConnectionTrait,
    after: i64,
    end: i64,
    most: u64,
) -> Result<Vec<Model>, DbErr> {
    let rows = Entity::find().filter(Column::Number.gt(after)).filter(Column::Number.lte(end));
    rows.order_by_asc(Column::Number).limit(most).all(db).await
}

/// Removes sealed rows up to number `last`.
pub(super) async fn remove_until(db: &impl ConnectionTrait, last: i64) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Number.lte(last)).exec(db).await.map(drop)
}

/// The latest that `filter` lets through, oldest first.
pub(super) async fn list(db: &impl ConnectionTrait, filter: &Filter, most: u64) -> Result<Vec<Model>, DbErr> {
    let mut rows = Entity::find();
    if let Some(since) = filter.since {
        rows = rows.filter(Column::At.gte(since));
    }
    if let Some(subject) = &filter.subject {
        rows = rows.filter(Column::Subject.eq(subject));
    }
    if let Some(object) = &filter.object {
        rows = rows.filter(Column::Object.eq(object));
    }
    let mut rows = rows.order_by_desc(Column::Id).limit(most).all(db).await?;
    rows.reverse();
    Ok(rows)
}
