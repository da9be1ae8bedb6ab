//! Alerts and on-call over HTTP. Who acts is who the token says; what they saw is the revision that they name.

mod act;
mod list;
mod on_call;
mod view;

use std::sync::Arc;

use axum::routing::{get, post};
use lasegue_platform::auth::Role;
use lasegue_platform::http::{Problem, Routes, dead_letters};

use crate::service::Alerting;

/// Who may read alerts.
const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Operator, Role::Auditor, Role::System];
/// Who may act; see [`act`] for which of them on what.
const ACTORS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Operator];

/// Alerting's routes.
pub fn routes(alerting: &Arc<Alerting>) -> Routes {
    let state = || alerting.clone();
    dead_letters::routes(alerting.store())
        .route("/api/v1/alerts", READERS, get(list::list).with_state(state()))
        .route("/api/v1/alerts/{id}", READERS, get(list::one).with_state(state()))
        .route("/api/v1/alerts/{id}/accept", ACTORS, post(act::accept).with_state(state()))
        .route("/api/v1/alerts/{id}/take-over", ACTORS, post(act::take_over).with_state(state()))
        .route("/api/v1/alerts/{id}/decline", ACTORS, post(act::decline).with_state(state()))
        .route("/api/v1/alerts/{id}/hand-over", ACTORS, post(act::hand_over).with_state(state()))
        .route("/api/v1/alerts/{id}/extend", ACTORS, post(act::extend).with_state(state()))
        .route("/api/v1/alerts/{id}/dispose", ACTORS, post(act::dispose).with_state(state()))
        .route("/api/v1/on-call", READERS, get(on_call::on_call).with_state(state()))
        .route("/api/v1/on-call/contacts/{name}/test", ACTORS, post(on_call::test).with_state(state()))
        .audited(alerting.store())
}

fn no_such_alert() -> Problem {
    Problem::not_found("There is no alert of this id.")
}
