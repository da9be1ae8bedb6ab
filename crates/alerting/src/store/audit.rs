//! The audit: a row for everything that happened to an alert, committed with what it records.

use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};

use crate::ids::{AlertId, CaseId};
use crate::plan::Happening;
use crate::store::json;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// Counts the rows.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose alert.
    pub case_id: Uuid,
    /// To which alert.
    pub alert_id: Uuid,
    /// When.
    pub at: ChronoDateTimeUtc,
    /// What, as JSON.
    pub what: Json,
}

/// Audit rows stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn record(unit: &Unit, case: CaseId, happened: &[Happening]) -> Result<(), StoreError> {
    for happening in happened {
        let row = ActiveModel {
            id: ActiveValue::NotSet,
            case_id: ActiveValue::Set(case.0),
            alert_id: ActiveValue::Set(happening.alert.0),
            at: ActiveValue::Set(happening.at),
            what: ActiveValue::Set(json(&happening.what)?),
        };
        Entity::insert(row).exec_without_returning(unit.db()).await?;
    }
    Ok(())
}

/// At most `most` of what happened to an alert of `case`, in order, after the row of the number `after`.
pub async fn of_alert(
    db: &impl ConnectionTrait,
    (case, alert): (CaseId, AlertId),
    after: i64,
    most: u64,
) -> Result<Vec<Model>, StoreError> {
    let rows = Entity::find().filter(Column::CaseId.eq(case.0)).filter(Column::AlertId.eq(alert.0));
    Ok(rows.filter(Column::Id.gt(after)).order_by_asc(Column::Id).limit(most).all(db).await?)
}
