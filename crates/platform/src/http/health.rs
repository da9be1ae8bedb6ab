//! `/healthz` (the process lives), `/readyz` (it can do its work), `/metrics` (Prometheus text).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::{self, BoxFuture};
use serde_json::{Map, Value, json};

use super::Routes;
use crate::telemetry;

/// What must hold before a process takes work. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<Vec<(String, Check)>>>,
}

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

impl Health {
    /// Adds a check; it says what is wrong when it does not hold.
    pub fn check<F>(&self, name: impl Into<String>, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || Box::pin(check()));
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push((name.into(), check));
    }

    /// The routes of health and metrics, open to everybody: they hold nothing about anybody.
    pub fn routes(&self) -> Routes {
        Routes::new()
            .public("/healthz", get(async || "alive\n"))
            .public("/readyz", get(ready).with_state(self.clone()))
            .public("/metrics", get(metrics))
    }

    /// The outcome of every check, and whether all hold.
    pub async fn report(&self) -> (bool, Map<String, Value>) {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let outcomes = future::join_all(checks.iter().map(|(_, check)| check())).await;
        let all = outcomes.iter().all(Result::is_ok);
        let say = |outcome: Result<(), String>| outcome.map_or_else(Value::from, |()| Value::from("ok"));
        (all, checks.into_iter().map(|(name, _)| name).zip(outcomes.into_iter().map(say)).collect())
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let (all, checks) = health.report().await;
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": all, "checks": checks }))).into_response()
}

async fn metrics() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::metrics_text())
}
