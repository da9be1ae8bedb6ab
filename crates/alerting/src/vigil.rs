//! Watches whether people are really paged, so that silence shows: how long the oldest page about a patient has waited
//! without anybody having got one, and how many people can be paged at all.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_platform::http::Health;
use lasegue_platform::store::StoreError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::service::Alerting;
use crate::store::deliveries;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);
/// How long a page may wait before paging counts as away: longer than a few attempts take.
const LATE: TimeDelta = TimeDelta::seconds(60);

/// What keeps the vigil, and what it saw last.
#[derive(Clone, Debug)]
pub struct Vigil {
    alerting: Arc<Alerting>,
    /// Since when the oldest page has waited.
    waiting: Arc<watch::Sender<Option<DateTime<Utc>>>>,
}

/// Whether every rota has somebody on call.
fn somebody_is_on_call(alerting: &Alerting) -> Result<(), String> {
    if alerting.on_call().is_nobody() {
        return Err("nobody can be paged: there is no contact".to_owned());
    }
    let gaps = alerting.on_call().gaps(alerting.now());
    if gaps.is_empty() { Ok(()) } else { Err(gaps.join("; ")) }
}

impl Vigil {
    /// A vigil that has seen nothing yet.
    pub fn new(alerting: Arc<Alerting>) -> Self {
        Self { alerting, waiting: Arc::default() }
    }

    /// Shows in `health` what it sees: without pages the service does not do its work.
    pub fn show(&self, health: &Health) {
        let vigil = self.clone();
        health.check("alerting pages", move || std::future::ready(vigil.pages_leave()));
        let alerting = self.alerting.clone();
        health.watch("alerting contacts", move || std::future::ready(somebody_is_on_call(&alerting)));
    }

    /// Whether pages leave; otherwise since when they do not.
    ///
    /// # Errors
    /// A sentence for an operator.
    pub fn pages_leave(&self) -> Result<(), String> {
        let now = self.alerting.now();
        match self.waiting.borrow().filter(|since| now - since >= LATE) {
            Some(since) => Err(format!("nobody has got a page that waits since {since}: look after the pagers")),
            None => Ok(()),
        }
    }

    /// Looks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let clock = self.alerting.store().clock().clone();
        loop {
            if let Err(error) = self.round().await {
                let error = lasegue_platform::chain(&error);
                tracing::error!(error, "it is not known whether pages leave");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(EVERY) => {}
            }
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let since = deliveries::oldest_unpaged(self.alerting.store().reader()).await?;
        let waited = since.map_or(TimeDelta::zero(), |since| self.alerting.now() - since);
        metrics::gauge!("oldest_unpaged_red_flag_seconds").set(waited.as_seconds_f64().max(0.0));
        let contacts = u32::try_from(self.alerting.on_call().contacts().count()).unwrap_or(u32::MAX);
        metrics::gauge!("contacts").set(contacts);
        self.waiting.send_replace(since);
        Ok(())
    }
}
