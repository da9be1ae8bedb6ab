//! The server around all routes: identity, limits, and an orderly end.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use super::problem::Problem;
use super::request::{Surroundings, surround};
use super::{Health, Routes};
use crate::auth::{self, Verifier};
use crate::clock::SharedClock;
use crate::random::SharedRandom;

/// The limits of one process's HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body; a route may raise it for itself.
    pub body: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Requests answered at once; more are turned away with 503.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1 << 20, timeout: Duration::from_secs(30), at_once: 1_024 }
    }
}

/// What stands around the routes of a process.
#[derive(Clone, Debug)]
pub struct Front {
    /// Knows whose token it is.
    pub verifier: Verifier,
    /// Tells the time.
    pub clock: SharedClock,
    /// Makes request ids.
    pub random: SharedRandom,
    /// The limits.
    pub limits: Limits,
}

impl Front {
    /// The routes with everything around them, ready to be served or called by a test.
    pub fn around(self, routes: Routes, health: &Health) -> Router {
        let surroundings = Surroundings { clock: self.clock.clone(), random: self.random };
        let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
        let layers = ServiceBuilder::new()
            .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(header(REFERRER_POLICY, "no-referrer"))
            .layer(header(CACHE_CONTROL, "no-store"))
            .layer(middleware::from_fn_with_state(surroundings, surround))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(HandleErrorLayer::new(overloaded))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(self.limits.at_once))
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, self.limits.timeout))
            .layer(DefaultBodyLimit::max(self.limits.body))
            .layer(middleware::from_fn_with_state((self.verifier, self.clock), auth::authenticate));
        routes.merge(health.routes()).into_router().layer(layers)
    }
}

/// Serves until `stop`, then finishes the requests under way.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let ended = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = ended {
        tracing::error!(%error, "the HTTP server ended badly");
    }
}

async fn overloaded(_: tower::BoxError) -> Problem {
    Problem::unavailable("Too many requests are under way. Try again in a second.")
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}
