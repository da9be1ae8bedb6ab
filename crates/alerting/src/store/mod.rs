//! What alerting keeps. A decision is saved whole: case, alerts, deliveries, audit, events and timers, or nothing.

pub mod alerts;
pub mod audit;
mod cases;
pub mod deliveries;
mod pages;
pub mod queue;
pub mod retention;
mod supersede;
pub mod test_pages;

use std::collections::BTreeMap;

use lasegue_contracts::Service;
use lasegue_platform::store::{StoreError, Unit};
use sea_orm::{ConnectionTrait, JsonValue};
use serde::Serialize;

use crate::case::Case;
use crate::ids::{CaseId, Revision};
use crate::messages;
use crate::plan::{Plan, Report};

/// The kind of timer that wakes a case; its key is the case's id.
pub const WAKE: &str = "case";
/// The kind of timer that tells the service's own case of something; its key is the report as JSON.
pub const REPORT: &str = "report";

/// The kind of timer that says that a delivery reached nobody; its key is the delivery's id.
pub const UNREACHED: &str = "unreached";

/// The kind of timer that stands for a sign of life; it has no key.
pub const BEAT: &str = "heartbeat";

/// A case as it was read, with the version that a change must be based on.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The case.
    pub case: Case,
    version: i64,
}

/// Reads a case with all its alerts. One that was never saved has none.
pub async fn load(db: &impl ConnectionTrait, id: CaseId) -> Result<Loaded, StoreError> {
    let (mut case, version) = cases::load(db, id).await?;
    for alert in alerts::of_case(db, id).await? {
        case.put(alert);
    }
    Ok(Loaded { case, version })
}

/// What a person who looks at each of `cases` has seen, as far as there are any.
pub async fn shown(
    db: &impl ConnectionTrait,
    cases: impl Iterator<Item = CaseId>,
) -> Result<BTreeMap<CaseId, Revision>, StoreError> {
    cases::shown(db, cases.collect()).await
}

/// Saves what a decision about `before` planned. It stands only on the case that was read, also when it changes nothing:
/// the tick of what brought it, and its timer, would be wrong for any other.
///
/// # Errors
/// [`StoreError::Conflict`] when the case was changed since it was read.
pub async fn save(unit: &mut Unit, before: &Loaded, plan: &Plan) -> Result<(), StoreError> {
    cases::save(unit, &plan.case, before.version).await?;
    alerts::save(unit, &before.case, &plan.case).await?;
    deliveries::recall(unit, plan.case.id, &plan.settled).await?;
    queue::pages_of(unit, plan).await?;
    audit::record(unit, plan.case.id, &plan.happened).await?;
    messages::publish(unit, plan).await?;
    set_timers(unit, plan).await
}

async fn set_timers(unit: &mut Unit, plan: &Plan) -> Result<(), StoreError> {
    let key = plan.case.id.to_string();
    match plan.case.wake() {
        Some(at) => unit.set_timer(WAKE, &key, at).await?,
        None => unit.cancel_timer(WAKE, &key).await?,
    }
    for report in &plan.reports {
        send_report(unit, report).await?;
    }
    Ok(())
}

/// Lets the service's own case hear of something, at once.
pub async fn send_report(unit: &mut Unit, report: &Report) -> Result<(), StoreError> {
    let now = unit.now();
    unit.set_timer(REPORT, &json(report)?.to_string(), now).await
}

/// Lets the alerts of a delivery that reached nobody move on, and an operator hear of it, at once.
pub async fn send_unreached(unit: &mut Unit, row: &deliveries::Model) -> Result<(), StoreError> {
    let now = unit.now();
    unit.set_timer(UNREACHED, &row.id.to_string(), now).await?;
    send_report(unit, &Report::Unreachable(row.contact())).await
}

fn json(value: &impl Serialize) -> Result<JsonValue, StoreError> {
    serde_json::to_value(value).map_err(|error| corrupt(error.to_string()))
}

fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt { service: Service::Alerting, what }
}
