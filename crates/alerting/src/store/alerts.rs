//! Alerts: the columns that are searched, and the whole alert as JSON.

use std::collections::BTreeSet;

use lasegue_platform::store::{StoreError, Unit};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{OnConflict, SimpleExpr};
use sea_orm::{ActiveValue, Condition, QueryOrder, QuerySelect};

use crate::alert::Alert;
use crate::case::Case;
use crate::escalation::ahead::Furthest;
use crate::ids::{AlertId, CaseId};
use crate::store::{corrupt, json};

/// An alert's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    case_id: Uuid,
    subject: String,
    state: String,
    opened_at: ChronoDateTimeUtc,
    /// When its next step is due.
    pub next_at: Option<ChronoDateTimeUtc>,
    body: Json,
}

/// Alerts name their case by its id alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where a list goes on: after the alert that was opened then under this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// When it was opened.
    pub opened_at: ChronoDateTimeUtc,
    /// Its id.
    pub id: AlertId,
}

/// Every alert of a case.
pub(super) async fn of_case(db: &impl ConnectionTrait, case: CaseId) -> Result<Vec<Alert>, StoreError> {
    let rows = Entity::find().filter(Column::CaseId.eq(case.0)).all(db).await?;
    rows.into_iter().map(Model::read).collect()
}

/// The case that an alert belongs to.
pub async fn case_of(db: &impl ConnectionTrait, alert: AlertId) -> Result<Option<CaseId>, StoreError> {
    Ok(Entity::find_by_id(alert.0).one(db).await?.map(|row| CaseId(row.case_id)))
}

/// At most `most` alerts in one of `states`, oldest first, with their cases.
pub async fn in_states(
    db: &impl ConnectionTrait,
    states: &[&str],
    after: Option<After>,
    most: u64,
) -> Result<Vec<(CaseId, Alert)>, StoreError> {
    let later = after.map(|after| {
        let same = Condition::all().add(Column::OpenedAt.eq(after.opened_at)).add(Column::Id.gt(after.id.0));
        Condition::any().add(Column::OpenedAt.gt(after.opened_at)).add(same)
    });
    let found = Entity::find()
        .filter(Column::State.is_in(states.iter().copied()))
        .filter(later.unwrap_or_else(Condition::all))
        .order_by_asc(Column::OpenedAt)
        .order_by_asc(Column::Id)
        .limit(most);
    let read = |row: Model| Ok((CaseId(row.case_id), row.read()?));
    found.all(db).await?.into_iter().map(read).collect()
}

/// A step of an alert that somebody should have taken, or none where there should be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overlooked {
    /// Whose alert.
    pub case: CaseId,
    /// When it was due.
    pub due: Option<ChronoDateTimeUtc>,
}

/// At most `most` steps that were due before `late`, or are missing or lie beyond the furthest although the alert pages or
/// was accepted.
pub async fn overlooked(
    db: &impl ConnectionTrait,
    late: ChronoDateTimeUtc,
    furthest: Furthest,
    most: u64,
) -> Result<BTreeSet<Overlooked>, StoreError> {
    let stepless = Condition::all().add(Column::State.is_in(["open", "accepted"])).add(Column::NextAt.is_null());
    let overdue =
        Condition::all().add(Column::State.is_in(["listed", "open", "accepted"])).add(Column::NextAt.lt(late));
    let beyond = |state: &str, at| Condition::all().add(Column::State.eq(state)).add(Column::NextAt.gt(at));
    let (open, accepted) = (beyond("open", furthest.open), beyond("accepted", furthest.accepted));
    let any = Condition::any().add(stepless).add(overdue).add(open).add(accepted);
    let found = Entity::find().filter(any).order_by_asc(Column::NextAt).limit(most);
    let overlooked = |row: Model| Overlooked { case: CaseId(row.case_id), due: row.next_at };
    Ok(found.all(db).await?.into_iter().map(overlooked).collect())
}

/// Some of the alerts that were opened and closed before an instant, the longest ago first.
pub(super) async fn closed_before(
    db: &impl ConnectionTrait,
    whose: SimpleExpr,
    before: ChronoDateTimeUtc,
    most: u64,
) -> Result<Vec<Uuid>, StoreError> {
    let old = Entity::find().filter(whose).filter(Column::State.eq("closed")).filter(Column::OpenedAt.lt(before));
    let old = old.order_by_asc(Column::OpenedAt).order_by_asc(Column::Id).limit(most).all(db).await?;
    let alerts: Result<Vec<_>, _> = old.into_iter().map(Model::read).collect();
    let over = |alert: &Alert| alert.closed_at().is_some_and(|at| at < before);
    Ok(alerts?.iter().filter(|alert| over(alert)).map(|alert| alert.id.0).collect())
}

/// Saves the alerts of `after` that differ from `before`.
pub(super) async fn save(unit: &Unit, before: &Case, after: &Case) -> Result<(), StoreError> {
    for alert in after.alerts.values().filter(|alert| before.alerts.get(&alert.id) != Some(alert)) {
        let row = ActiveModel {
            id: ActiveValue::Set(alert.id.0),
            case_id: ActiveValue::Set(after.id.0),
            subject: ActiveValue::Set(alert.key.to_string()),
            state: ActiveValue::Set(alert.state.word().to_owned()),
            opened_at: ActiveValue::Set(alert.opened_at),
            next_at: ActiveValue::Set(alert.next_instant()),
            body: ActiveValue::Set(json(alert)?),
        };
        let known =
            OnConflict::column(Column::Id).update_columns([Column::State, Column::NextAt, Column::Body]).to_owned();
        Entity::insert(row).on_conflict(known).exec_without_returning(unit.db()).await?;
    }
    Ok(())
}

impl Model {
    fn read(self) -> Result<Alert, StoreError> {
        serde_json::from_value(self.body).map_err(|_| corrupt(format!("alert {}", self.id)))
    }
}
