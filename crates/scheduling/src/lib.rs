//! Keeps the planned next visit of every episode, tells when it is due and overdue, and owns the worklist.
//!
//! Only the highest revision counts, so lost, late and repeated results end in the same plan. Due and overdue come from
//! durable timers; the worklist is read from an index. Nothing here knows a name.

mod http;
mod messages;
mod migrations;
mod plan;
mod planner;
mod store;
mod timing;
mod worklist;

use std::sync::Arc;

use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use lasegue_contracts::topology::{SCHEDULING_ASSESSMENTS, SCHEDULING_ASSESSMENTS_BULK};
use lasegue_platform::Base;
use lasegue_platform::http::Routes;
use lasegue_platform::store::StoreError;

pub use crate::migrations::MIGRATIONS;
use crate::planner::Planner;
use crate::timing::Timing;

/// Opens the database, takes the events, and gives the routes.
///
/// # Errors
/// When the database cannot be opened; the error says what to do.
pub async fn start(base: &Base) -> Result<Routes, StoreError> {
    let store = base.open_store(Service::Scheduling, MIGRATIONS).await?;
    for (consumer, lane) in [(&SCHEDULING_ASSESSMENTS, Lane::Live), (&SCHEDULING_ASSESSMENTS_BULK, Lane::Bulk)] {
        base.consume(&store, consumer, Arc::new(Planner { store: store.on(lane), consumer: consumer.name, lane }));
    }
    base.fire_timers(&store, Arc::new(Timing { store: store.clone() }));
    Ok(http::routes(&store))
}
