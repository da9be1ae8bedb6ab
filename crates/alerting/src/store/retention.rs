//! Removing what need not be kept any longer, some rows in one unit of work.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use lasegue_platform::store::{StoreError, Unit};
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{alerts, audit, deliveries, pages};
use crate::ids::CaseId;

/// What is kept for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// How pages travelled.
    Deliveries,
    /// The service's own troubles and notices, with their history.
    OwnAlerts,
    /// Alerts about patients, with their history.
    Alerts,
}

/// Rows that one unit of work removes.
const BATCH: u64 = 200;

/// Removes some of what was done before `before`; says how many rows, none when there is nothing left of it.
///
/// # Errors
/// When the database fails.
pub async fn remove(unit: &Unit, what: Kept, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let own = CaseId::OPERATOR.0;
    match what {
        Kept::Deliveries => remove_deliveries(unit, before).await,
        Kept::OwnAlerts => remove_alerts(unit, alerts::Column::CaseId.eq(own), before).await,
        Kept::Alerts => remove_alerts(unit, alerts::Column::CaseId.ne(own), before).await,
    }
}

async fn remove_deliveries(unit: &Unit, before: DateTime<Utc>) -> Result<u64, StoreError> {
    use deliveries::{Column, Entity};
    let done = Entity::find().filter(Column::WakeAt.is_null()).filter(Column::CreatedAt.lt(before));
    let done = done.order_by_asc(Column::CreatedAt).limit(BATCH).all(unit.db()).await?;
    let ids = done.iter().map(|row| row.id);
    let removed = Entity::delete_many().filter(Column::Id.is_in(ids)).exec(unit.db()).await?.rows_affected;
    let pages: BTreeSet<Uuid> = done.iter().map(|row| row.page_id).collect();
    let needed = Entity::find().filter(Column::PageId.is_in(pages.iter().copied())).all(unit.db()).await?;
    let needed: BTreeSet<Uuid> = needed.into_iter().map(|row| row.page_id).collect();
    let over = pages.difference(&needed).copied();
    pages::Entity::delete_many().filter(pages::Column::Id.is_in(over)).exec(unit.db()).await?;
    Ok(removed)
}

async fn remove_alerts(unit: &Unit, whose: SimpleExpr, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let over: Vec<Uuid> = alerts::closed_before(unit.db(), whose, before, BATCH).await?;
    if over.is_empty() {
        return Ok(0);
    }
    let history = audit::Entity::delete_many().filter(audit::Column::AlertId.is_in(over.iter().copied()));
    history.exec(unit.db()).await?;
    let removed = alerts::Entity::delete_many().filter(alerts::Column::Id.is_in(over)).exec(unit.db()).await?;
    Ok(removed.rows_affected)
}
