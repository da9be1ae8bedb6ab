//! Pages: one row for each contact and revision of a case, which counts the requests made for it.

use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, ExprTrait};

use crate::case::Case;
use crate::ids::{CaseId, ContactName, PageId, Revision};
use crate::store::corrupt;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pages")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    case_id: Uuid,
    revision: i64,
    contact: String,
    attempts: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The page of `contact` about the case's present revision, made when there is none.
pub(super) async fn ensure(unit: &Unit, case: &Case, contact: &ContactName) -> Result<PageId, StoreError> {
    let id = PageId::of(case.id, case.revision(), contact);
    insert(unit, id, case.id, case.revision(), contact).await.map(|()| id)
}

/// A page of its own, about nothing but itself.
pub(super) async fn fresh(unit: &Unit, contact: &ContactName) -> Result<PageId, StoreError> {
    let id = PageId(unit.id());
    insert(unit, id, CaseId::OPERATOR, Revision::default(), contact).await.map(|()| id)
}

async fn insert(
    unit: &Unit,
    id: PageId,
    case: CaseId,
    revision: Revision,
    contact: &ContactName,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        id: ActiveValue::Set(id.0),
        case_id: ActiveValue::Set(case.0),
        revision: ActiveValue::Set(i64::try_from(revision.0).unwrap_or(i64::MAX)),
        contact: ActiveValue::Set(contact.0.clone()),
        attempts: ActiveValue::Set(0),
    };
    let known = OnConflict::column(Column::Id).do_nothing().to_owned();
    Entity::insert(row).on_conflict(known).try_insert().exec_without_returning(unit.db()).await?;
    Ok(())
}

/// Counts one more request for the page and says how many that makes.
pub(super) async fn count_attempt(unit: &Unit, page: Uuid) -> Result<u32, StoreError> {
    let one_more = Expr::col(Column::Attempts).add(1);
    Entity::update_many().col_expr(Column::Attempts, one_more).filter(Column::Id.eq(page)).exec(unit.db()).await?;
    let row = Entity::find_by_id(page).one(unit.db()).await?;
    row.and_then(|row| row.attempts.try_into().ok()).ok_or_else(|| corrupt(format!("page {page}")))
}
