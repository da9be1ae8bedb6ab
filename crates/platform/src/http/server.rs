//! What stands around all routes: identity and limits. Health stands outside of the limits.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use super::address::put_right;
use super::problem::Problem;
use super::request::{Surroundings, surround};
use super::room::{Room, admit, understand};
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
    /// Besides, at once, submissions when there is no other place.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1 << 20, timeout: Duration::from_secs(30), at_once: 1_024, kept: 128 }
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
        let within = ServiceBuilder::new()
            .layer(middleware::from_fn_with_state(Room::of(self.limits), admit))
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, self.limits.timeout))
            .layer(DefaultBodyLimit::max(self.limits.body))
            .layer(middleware::from_fn_with_state((self.verifier, self.clock, Arc::default()), auth::authenticate));
        let around = ServiceBuilder::new()
            .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(header(REFERRER_POLICY, "no-referrer"))
            .layer(header(X_FRAME_OPTIONS, "DENY"))
            .layer(header(
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ))
            .layer(header(CACHE_CONTROL, "no-store"))
            .layer(middleware::from_fn_with_state(surroundings, surround))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(middleware::from_fn(understand));
        let answers = routes.into_router().layer(within).merge(health.routes().into_router()).layer(around);
        Router::new().fallback_service(ServiceBuilder::new().map_request(put_right).service(answers))
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}
