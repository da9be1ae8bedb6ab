//! A sign of life to a dead man's switch, so that silence itself is told: it comes only as long as this service could page
//! somebody.
//!
//! Each beat has gone through all that a page needs: a commit set a timer, the timer fired, a commit claimed it, there is
//! somebody to page and no page waits too long.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use lasegue_platform::store::StoreError;
use lasegue_platform::tls;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use crate::service::Alerting;
use crate::store::BEAT;
use crate::vigil::Vigil;

/// How long the switch may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where and how often a sign of life is given.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Whoever knows the address can give signs of life in our name.
    pub(crate) url: SecretString,
    pub(crate) every: TimeDelta,
}

/// Gives signs of life.
#[derive(Debug)]
pub struct Heart {
    alerting: Arc<Alerting>,
    vigil: Vigil,
    http: Client,
    heartbeat: Heartbeat,
}

impl Heart {
    /// A heart that beats as the set-up says.
    ///
    /// # Errors
    /// When no connections can be made.
    pub fn new(alerting: Arc<Alerting>, vigil: Vigil, heartbeat: Heartbeat) -> Result<Self, reqwest::Error> {
        let http = tls::client(|| Client::builder().timeout(TIMEOUT).no_proxy().user_agent("lasegue"))?;
        Ok(Self { alerting, vigil, http, heartbeat })
    }

    /// Beats until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let clock = self.alerting.store().clock().clone();
        let every = self.heartbeat.every.to_std().unwrap_or(TIMEOUT);
        let mut next = clock.sleep(Duration::ZERO);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = &mut next => {
                    if let Err(error) = self.set_timer().await {
                        tracing::error!(error = lasegue_platform::chain(&error), "no sign of life is given: nothing can be committed");
                    }
                    next = clock.sleep(every);
                }
                () = self.alerting.beats() => self.beat().await,
            }
        }
    }

    async fn set_timer(&self) -> Result<(), StoreError> {
        let set = self.alerting.store().commit(|unit| {
            Box::pin(async move {
                let now = unit.now();
                unit.set_timer(BEAT, "", now).await
            })
        });
        set.await
    }

    /// The timer has fired and is claimed: a sign of life, if somebody could be paged.
    async fn beat(&self) {
        if self.alerting.on_call().is_nobody() {
            return;
        }
        if let Some(since) = self.alerting.store().standing().borrow().nothing_stored {
            tracing::error!(%since, "no sign of life is given: nothing can be stored");
            return;
        }
        if let Err(why) = self.vigil.pages_leave() {
            tracing::error!(why, "no sign of life is given");
            return;
        }
        let outcome = match self.call().await {
            Ok(()) => "sent",
            Err(error) => {
                tracing::warn!(
                    error = lasegue_platform::chain(&error),
                    "the dead man's switch did not take a sign of life"
                );
                "failed"
            }
        };
        metrics::counter!("heartbeats_total", "outcome" => outcome).increment(1);
    }

    async fn call(&self) -> Result<(), reqwest::Error> {
        let url = Url::parse(self.heartbeat.url.expose_secret());
        // The set-up was checked: it is an address.
        let Ok(url) = url else { return Ok(()) };
        let answer = self.http.post(url).send().await.map_err(reqwest::Error::without_url)?;
        answer.error_for_status().map(drop).map_err(reqwest::Error::without_url)
    }
}
