//! Intake's routes, and who may call them.

mod episodes;
mod imports;
mod misplaced;
mod submissions;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, patch, post};
use lasegue_platform::auth::Role;
use lasegue_platform::http::{Routes, dead_letters};
use lasegue_platform::store::Store;
use sea_orm::prelude::Uuid;
use serde_json::json;

use crate::effects::{REGISTER, REPORT, SIGN};

const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System];
const EXAMINERS: &[Role] = &[Role::Clinician, Role::Auditor];

pub(crate) fn routes(store: &Store) -> Routes {
    let on = || store.clone();
    let submitting = post(submissions::submit).fallback(submissions::by_wrong_method);
    let misaddressed = any(submissions::misaddressed);
    dead_letters::routes(store)
        .route("/api/v1/episodes", REGISTER.alone, post(episodes::register).with_state(on()))
        .route("/api/v1/episodes/{id}", READERS, get(episodes::read).with_state(on()))
        .route("/api/v1/episodes/{id}", REGISTER.alone, patch(episodes::change).with_state(on()))
        .route_with_fallback("/api/v1/episodes/{id}/submissions", REPORT.alone, submitting.with_state(on()))
        .route_with_fallback(
            "/api/v1/episodes/{id}/submissions/misaddressed",
            REPORT.alone,
            misaddressed.with_state(on()),
        )
        .route("/api/v1/episodes/{id}/refusals", EXAMINERS, get(submissions::refusals).with_state(on()))
        .route("/api/v1/episodes/{id}/adjudications", SIGN.alone, post(submissions::adjudicate).with_state(on()))
        .route("/api/v1/imports", REPORT.imported, post(imports::import).layer(imports::limits()).with_state(on()))
        .audited(store)
}

/// 202: it is kept, and everything that follows from it will happen.
fn accepted(id: Uuid) -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response()
}
