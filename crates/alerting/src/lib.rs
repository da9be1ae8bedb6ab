//! Pages the on-call clinician about a red flag until a named person accepts.
//!
//! The heart is pure: [`escalation`] turns a case and an input into a plan, [`rota`] says who is on call, [`delivery`]
//! what follows a failed attempt. [`service`] saves plans, [`deliver`] sends pages, and an event, its alerts, its pages
//! and what is told of them are one commit.

pub mod alarm;
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
pub mod heartbeat;
pub mod hours;
pub mod http;
pub mod ids;
pub mod keeper;
pub mod letter;
mod local;
mod messages;
mod migrations;
pub mod on_call;
pub mod page;
pub mod plan;
pub mod reason;
pub mod room;
pub mod rota;
pub mod service;
pub mod severity;
pub mod state;
pub mod store;
pub mod tone;
pub mod vigil;

use std::sync::Arc;

use lasegue_contracts::Service;
use lasegue_contracts::topology::{
    ALERTING_DEAD_LETTERS, ALERTING_RED_FLAGS, ALERTING_RED_FLAGS_BULK, ALERTING_REFUSALS, ALERTING_TROUBLES,
    ALERTING_VISITS,
};
use lasegue_platform::Base;
use lasegue_platform::lifecycle::Stage;
use lasegue_platform::store::StoreError;

pub use crate::migrations::MIGRATIONS;

use crate::alarm::Alarm;
use crate::auditor::Auditor;
use crate::channel::Channels;
use crate::deliver::Sender;
use crate::handlers::{DeadLetters, RedFlags, Refusals, Timers, Troubles, Visits};
use crate::heartbeat::Heart;
use crate::keeper::Keeper;
use crate::on_call::OnCall;
use crate::service::Alerting;
use crate::vigil::Vigil;

/// Why alerting could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A red flag would page nobody, and nobody would notice.
    #[error(
        "nobody can be paged: the configuration has no [[contact]]. Write who is on call (docs/paging.md) and name that file with --config, or start with --without-contacts when nobody is to be paged"
    )]
    Nobody,
    /// Its database cannot be used.
    #[error("alerting's database cannot be used")]
    Store(#[from] StoreError),
    /// No connections to pagers can be made.
    #[error("no connections to pagers can be made")]
    Channels(#[from] reqwest::Error),
}

/// Makes sure that somebody can be paged, unless it was asked for that nobody is.
///
/// # Errors
/// [`StartError::Nobody`].
pub fn somebody(on_call: &OnCall) -> Result<(), StartError> {
    if on_call.is_nobody() && !on_call.may_be_nobody() { Err(StartError::Nobody) } else { Ok(()) }
}

/// Starts alerting: consumers, timers and the sender. They end with the process.
///
/// # Errors
/// See [`StartError`].
pub async fn start(base: &Base, on_call: OnCall) -> Result<Arc<Alerting>, StartError> {
    somebody(&on_call)?;
    if on_call.is_nobody() {
        tracing::warn!("the on-call set-up has no contact, as was asked for: red flags page nobody");
    }
    let now = base.clock.now();
    for warning in on_call.warnings().into_iter().chain(on_call.gaps(now)) {
        tracing::warn!("{warning}");
    }
    tracing::info!("{}", on_call.summary(now));
    let on_call = Arc::new(on_call);
    let store = base.open_store(Service::Alerting, MIGRATIONS).await?;
    let channels = Channels::new()?;
    let sender = Arc::new(Sender::new(store.clone(), on_call.clone(), channels.clone()));
    let alerting = Arc::new(Alerting::new(store.clone(), on_call, sender.clone()));
    base.lifecycle.spawn(Stage::Work, "pages", move |stop| sender.run(stop));
    let alarm = Alarm::new(alerting.clone(), channels);
    base.lifecycle.spawn(Stage::Work, "alarm", move |stop| alarm.run(stop));
    base.consume(&store, &ALERTING_RED_FLAGS, Arc::new(RedFlags::live(alerting.clone())));
    base.consume(&store, &ALERTING_REFUSALS, Arc::new(Refusals(alerting.clone())));
    base.consume(&store, &ALERTING_RED_FLAGS_BULK, Arc::new(RedFlags::bulk(alerting.clone())));
    base.consume(&store, &ALERTING_VISITS, Arc::new(Visits(alerting.clone())));
    base.consume(&store, &ALERTING_DEAD_LETTERS, Arc::new(DeadLetters(alerting.clone())));
    base.consume(&store, &ALERTING_TROUBLES, Arc::new(Troubles(alerting.clone())));
    base.fire_timers(&store, Arc::new(Timers(alerting.clone())));
    let auditor = Auditor::new(alerting.clone());
    base.lifecycle.spawn(Stage::Work, "auditor", move |stop| auditor.run(stop));
    let vigil = Vigil::new(alerting.clone());
    vigil.show(&base.health);
    let (watching, on_call) = (vigil.clone(), alerting.on_call());
    base.lifecycle.spawn(Stage::Work, "vigil", move |stop| watching.run(stop));
    if let Some(heartbeat) = on_call.heartbeat() {
        let heart = Heart::new(alerting.clone(), vigil, heartbeat.clone())?;
        base.lifecycle.spawn(Stage::Work, "heartbeat", move |stop| heart.run(stop));
    }
    let keeper = Keeper::new(&store, alerting.on_call().keep_years());
    base.lifecycle.spawn(Stage::Work, "keeper", move |stop| keeper.run(stop));
    Ok(alerting)
}
