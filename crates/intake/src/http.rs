//! Intake's routes, and who may call them.

mod episodes;
mod imports;
mod submissions;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use lasegue_platform::auth::Role;
use lasegue_platform::http::Routes;
use lasegue_platform::store::Store;
use sea_orm::prelude::Uuid;
use serde_json::json;

const WRITERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::System];
const SUBMITTERS: &[Role] = &[Role::Clinician, Role::System];
const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System];
const EXAMINERS: &[Role] = &[Role::Clinician, Role::Auditor];
const IMPORTERS: &[Role] = &[Role::System, Role::Operator];

pub(crate) fn routes(store: &Store) -> Routes {
    let on = || store.clone();
    Routes::new()
        .route("/api/v1/episodes", WRITERS, post(episodes::register).with_state(on()))
        .route("/api/v1/episodes/{id}", READERS, get(episodes::read).with_state(on()))
        .route("/api/v1/episodes/{id}", WRITERS, patch(episodes::change).with_state(on()))
        .route("/api/v1/episodes/{id}/submissions", SUBMITTERS, post(submissions::submit).with_state(on()))
        .route("/api/v1/episodes/{id}/refusals", EXAMINERS, get(submissions::refusals).with_state(on()))
        .route("/api/v1/episodes/{id}/adjudications", SUBMITTERS, post(submissions::adjudicate).with_state(on()))
        .route("/api/v1/imports", IMPORTERS, post(imports::import).layer(imports::limits()).with_state(on()))
}

/// 202: it is kept, and everything that follows from it will happen.
fn accepted(id: Uuid) -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response()
}
