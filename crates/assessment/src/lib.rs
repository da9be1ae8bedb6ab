//! Keeps each episode's record, evaluates it against the protocol on every event, and raises red flags first.
//!
//! Order does not matter: pieces may come late, twice or before their episode, and end in the same state. The record is
//! read at a revision, evaluated outside any transaction, and the outcome committed only if the revision still stands;
//! else all is done again. An evaluation takes well under a millisecond and runs where its handler runs.

mod activation;
mod assess;
mod cause;
mod evaluation;
mod history;
mod http;
mod limits;
mod messages;
mod migrations;
mod protocols;
mod reassess;
mod remembered;
mod rule_change;
mod store;
mod verdict;

use std::sync::Arc;

use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use lasegue_contracts::topology::{ASSESSMENT_DISPOSITIONS, ASSESSMENT_INTAKE, ASSESSMENT_INTAKE_BULK};
use lasegue_platform::Base;
use lasegue_platform::http::Routes;
use lasegue_platform::store::StoreError;

use crate::assess::Assessor;
pub use crate::migrations::MIGRATIONS;
use crate::protocols::Protocols;
use crate::reassess::Reassessor;

/// Opens the database, takes the events, and gives the routes.
///
/// # Errors
/// When the database cannot be opened; the error says what to do.
pub async fn start(base: &Base) -> Result<Routes, StoreError> {
    let store = base.open_store(Service::Assessment, MIGRATIONS).await?;
    protocols::keep_embedded(&store).await?;
    let protocols = Protocols::default();
    for (consumer, lane) in [
        (&ASSESSMENT_INTAKE, Lane::Live),
        (&ASSESSMENT_INTAKE_BULK, Lane::Bulk),
        (&ASSESSMENT_DISPOSITIONS, Lane::Live),
    ] {
        let assessor = Assessor::new(store.on(lane), consumer.name, lane, protocols.clone());
        base.consume(&store, consumer, Arc::new(assessor));
    }
    base.fire_timers(&store, Arc::new(Reassessor { store: store.on(Lane::Bulk), protocols: protocols.clone() }));
    Ok(http::routes(&store, protocols))
}
