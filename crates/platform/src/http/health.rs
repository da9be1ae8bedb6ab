//! `/healthz` (the process lives), `/readyz` (it can do its work), `/metrics` (Prometheus text).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::{self, BoxFuture};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::Routes;
use crate::telemetry;

/// Where health and metrics are answered, whatever else is going on.
pub(super) const PATHS: [&str; 3] = ["/healthz", READY, "/metrics"];
/// Where it is answered whether the process can do its work.
pub(super) const READY: &str = "/readyz";

/// How long a check may take: whoever asks for health waits little longer.
const WITHIN: Duration = Duration::from_secs(3);

/// What must hold before a process takes work. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<Vec<Check>>>,
    /// The needed checks that did not hold when somebody last asked.
    failing: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Check {
    name: String,
    /// Whether the process can do nothing while it does not hold.
    needed: bool,
    ask: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

impl Health {
    /// Adds a check without which the process can do nothing; it says what is wrong when it does not hold.
    pub fn check<F>(&self, name: impl Into<String>, ask: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name.into(), true, ask);
    }

    /// Adds a check that is shown, and leaves the process ready when it does not hold: part of its work goes on.
    pub fn watch<F>(&self, name: impl Into<String>, ask: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name.into(), false, ask);
    }

    fn add<F>(&self, name: String, needed: bool, ask: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check = Check { name, needed, ask: Arc::new(move || Box::pin(ask())) };
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push(check);
    }

    /// The routes of health and metrics, open to everybody: they hold nothing about anybody.
    pub fn routes(&self) -> Routes {
        Routes::new()
            .public(PATHS[0], get(async || "alive\n"))
            .public(READY, get(ready).with_state(self.clone()))
            .public(PATHS[2], get(metrics))
    }

    /// Whether all that is needed holds, and the outcome of every check.
    pub async fn report(&self) -> (bool, Map<String, Value>) {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let outcomes = future::join_all(checks.iter().map(|check| asked((check.ask)()))).await;
        let mut failing = Vec::new();
        let mut told = Map::new();
        for (check, outcome) in checks.into_iter().zip(outcomes) {
            if outcome.is_err() && check.needed {
                failing.push(check.name.clone());
            }
            told.insert(check.name, outcome.map_or_else(Value::from, |()| Value::from("ok")));
        }
        let ready = failing.is_empty();
        self.tell(failing, &told);
        (ready, told)
    }

    /// Logs what fails when that has changed: whoever asks every few seconds fills no log.
    fn tell(&self, failing: Vec<String>, told: &Map<String, Value>) {
        let mut before = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == failing {
            return;
        }
        if failing.is_empty() {
            tracing::info!("the process is ready again");
        } else {
            let why = failing.iter().map(|name| format!("{name}: {}", told[name].as_str().unwrap_or_default()));
            tracing::warn!(why = why.collect::<Vec<_>>().join("; "), "the process is not ready");
        }
        *before = failing;
    }
}

/// The outcome of a check, or that there is none yet.
async fn asked(check: BoxFuture<'static, Result<(), String>>) -> Result<(), String> {
    let silent = |_| Err(format!("it does not answer within {} s", WITHIN.as_secs()));
    timeout(WITHIN, check).await.unwrap_or_else(silent)
}

async fn ready(State(health): State<Health>) -> Response {
    let (all, checks) = health.report().await;
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": all, "checks": checks }))).into_response()
}

async fn metrics() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::metrics_text())
}
