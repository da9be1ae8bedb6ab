//! Test pages: one for each contact in a while, whoever asks and however many ask at once.

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, ExprTrait};

use crate::ids::ContactName;

/// How long after a test page a contact gets no other.
pub const TEST_PAGE_EVERY: TimeDelta = TimeDelta::minutes(5);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "test_pages")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    contact: String,
    sent_at: ChronoDateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Notes that `contact` is sent a test page now, or says when the next one may be. An instant that is still to come was
/// written before the clock was set back and holds nobody up.
pub(super) async fn claim(unit: &Unit, contact: &ContactName) -> Result<Result<(), DateTime<Utc>>, StoreError> {
    let now = unit.now();
    let row = ActiveModel { contact: ActiveValue::Set(contact.0.clone()), sent_at: ActiveValue::Set(now) };
    let last = || Expr::col((Entity, Column::SentAt));
    let free = last().lte(now - TEST_PAGE_EVERY).or(last().gt(now));
    let first = OnConflict::column(Column::Contact).update_column(Column::SentAt).action_and_where(free).to_owned();
    let claimed = Entity::insert(row).on_conflict(first).exec_without_returning(unit.db()).await;
    match claimed {
        Ok(1..) => return Ok(Ok(())),
        Ok(0) | Err(DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error.into()),
    }
    let known = Entity::find_by_id(contact.0.clone()).one(unit.db()).await?;
    Ok(Err(known.map_or(now, |row| row.sent_at) + TEST_PAGE_EVERY))
}
