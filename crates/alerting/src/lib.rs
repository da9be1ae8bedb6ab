//! Pages the on-call clinician about a red flag until a named person accepts.
//!
//! The heart is pure: [`escalation`] turns a case and an input into a plan, [`rota`] says who is on call, [`delivery`]
//! what follows a failed attempt. [`service`] saves plans, [`deliver`] sends pages, and an event, its alerts, its pages
//! and what is told of them are one commit.

pub mod alert;
pub mod auditor;
pub mod case;
pub mod chain;
pub mod channel;
pub mod config;
pub mod deliver;
pub mod delivery;
pub mod escalation;
pub mod finding;
pub mod handlers;
pub mod hours;
pub mod http;
pub mod ids;
mod local;
mod messages;
mod migrations;
pub mod on_call;
pub mod page;
pub mod plan;
pub mod reason;
pub mod rota;
pub mod service;
pub mod severity;
pub mod state;
pub mod store;
pub mod tone;

use std::sync::Arc;

use lasegue_contracts::Service;
use lasegue_contracts::topology::{
    ALERTING_DEAD_LETTERS, ALERTING_RED_FLAGS, ALERTING_RED_FLAGS_BULK, ALERTING_REFUSALS, ALERTING_VISITS,
};
use lasegue_platform::Base;
use lasegue_platform::lifecycle::Stage;
use lasegue_platform::store::StoreError;

pub use crate::migrations::MIGRATIONS;

use crate::auditor::Auditor;
use crate::channel::Channels;
use crate::deliver::Sender;
use crate::handlers::{DeadLetters, RedFlags, Refusals, Timers, Visits};
use crate::on_call::OnCall;
use crate::service::Alerting;

/// Why alerting could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database cannot be used.
    #[error("alerting's database cannot be used")]
    Store(#[from] StoreError),
    /// Pages cannot be sent over TLS.
    #[error("no connections can be made: install a TLS provider when the process starts")]
    Channels(#[from] reqwest::Error),
}

/// Starts alerting: consumers, timers and the sender. They end with the process.
///
/// # Errors
/// See [`StartError`].
pub async fn start(base: &Base, on_call: OnCall) -> Result<Arc<Alerting>, StartError> {
    if on_call.is_nobody() {
        tracing::warn!("the on-call set-up has no contact: red flags page nobody until one is written");
    }
    let on_call = Arc::new(on_call);
    let store = base.open_store(Service::Alerting, MIGRATIONS).await?;
    let sender = Arc::new(Sender::new(store.clone(), on_call.clone(), Channels::new()?));
    let alerting = Arc::new(Alerting::new(store.clone(), on_call, sender.clone()));
    base.lifecycle.spawn(Stage::Work, "pages", move |stop| sender.run(stop));
    base.consume(&store, &ALERTING_RED_FLAGS, Arc::new(RedFlags::live(alerting.clone())));
    base.consume(&store, &ALERTING_REFUSALS, Arc::new(Refusals(alerting.clone())));
    base.consume(&store, &ALERTING_RED_FLAGS_BULK, Arc::new(RedFlags::bulk(alerting.clone())));
    base.consume(&store, &ALERTING_VISITS, Arc::new(Visits(alerting.clone())));
    base.consume(&store, &ALERTING_DEAD_LETTERS, Arc::new(DeadLetters(alerting.clone())));
    base.fire_timers(&store, Arc::new(Timers(alerting.clone())));
    let auditor = Auditor::new(alerting.clone());
    base.lifecycle.spawn(Stage::Work, "auditor", move |stop| auditor.run(stop));
    Ok(alerting)
}
