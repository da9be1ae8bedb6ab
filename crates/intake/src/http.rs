//! Intake's routes.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::http::{EpisodeId, IdempotencyKey, Problem, Routes};
use lasegue_platform::store::Store;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::IntakeError;
use crate::ingest;
use crate::refuse::Refused;
use crate::store::requests::Request;
use crate::{adjudicate, import, refuse, register, submit};

const WRITERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::System];
const SUBMITTERS: &[Role] = &[Role::Clinician, Role::System];
const READERS: &[Role] = &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System];
const IMPORTERS: &[Role] = &[Role::System, Role::Operator];

/// Records of one import request.
const MOST_RECORDS: usize = 1_000;
/// Bytes of one import request.
const IMPORT_BYTES: usize = 64 << 20;
/// Records of one import request that are taken side by side and so share commits.
const SIDE_BY_SIDE: usize = 32;

pub(crate) fn routes(store: Store) -> Routes {
    let large = axum::extract::DefaultBodyLimit::max(IMPORT_BYTES);
    Routes::new()
        .route("/api/v1/episodes", WRITERS, post(register).with_state(store.clone()))
        .route("/api/v1/episodes/{id}", READERS, get(read).with_state(store.clone()))
        .route("/api/v1/episodes/{id}", WRITERS, patch(update).with_state(store.clone()))
        .route("/api/v1/episodes/{id}/submissions", SUBMITTERS, post(submit).with_state(store.clone()))
        .route("/api/v1/episodes/{id}/adjudications", SUBMITTERS, post(adjudicate).with_state(store.clone()))
        .route("/api/v1/imports", IMPORTERS, post(import).layer(large).with_state(store))
}

async fn register(
    State(store): State<Store>,
    key: Option<IdempotencyKey>,
    body: Bytes,
) -> Result<Response, IntakeError> {
    let content_hash = ingest::hash(&body);
    let request = key.map(|IdempotencyKey(key)| Request { scope: "episodes".to_owned(), key, content_hash });
    let id = register::register(&store, ingest::json(&body)?, request).await?;
    let location = [(LOCATION, format!("/api/v1/episodes/{id}"))];
    Ok((StatusCode::CREATED, location, Json(json!({ "id": id }))).into_response())
}

async fn read(State(store): State<Store>, EpisodeId(id): EpisodeId) -> Result<Json<Value>, IntakeError> {
    register::read(&store, id).await.map(Json)
}

async fn update(State(store): State<Store>, EpisodeId(id): EpisodeId, body: Bytes) -> Result<Json<Value>, IntakeError> {
    let version = register::patch(&store, id, ingest::json(&body)?).await?;
    Ok(Json(json!({ "id": id, "version": version })))
}

async fn submit(
    State(store): State<Store>,
    EpisodeId(episode): EpisodeId,
    caller: Identity,
    key: Result<IdempotencyKey, Problem>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, IntakeError> {
    let sent_key = key.as_ref().ok().map(|IdempotencyKey(key)| key.clone());
    let sent_body = body.as_ref().map(|bytes| bytes.to_vec()).unwrap_or_default();
    match try_submit(&store, episode, caller, key, body).await {
        Ok(id) => Ok(accepted(id)),
        Err(error) if error.is_refusal() => {
            let refused = Refused { episode, key: sent_key, body: sent_body, faults: error.faults() };
            refuse::refuse(&store, refused).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

async fn try_submit(
    store: &Store,
    episode: Uuid,
    caller: Identity,
    key: Result<IdempotencyKey, Problem>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Uuid, IntakeError> {
    let body = body.map_err(|rejection| IntakeError::Request(Problem::of_rejection(&rejection)))?;
    let IdempotencyKey(key) = key.map_err(IntakeError::Request)?;
    submit::submit(store, episode, key, &body, &caller).await
}

async fn adjudicate(
    State(store): State<Store>,
    EpisodeId(episode): EpisodeId,
    caller: Identity,
    IdempotencyKey(key): IdempotencyKey,
    body: Bytes,
) -> Result<Response, IntakeError> {
    adjudicate::adjudicate(&store, episode, key, &body, &caller).await.map(accepted)
}

fn accepted(id: Uuid) -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response()
}

/// One line in, one line out, in order.
async fn import(State(store): State<Store>, body: Bytes) -> Result<Response, IntakeError> {
    let filled = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let lines: Vec<_> = filled.map(|line| body.slice_ref(line)).collect();
    if lines.len() > MOST_RECORDS {
        let reason = format!("holds {} records; send at most {MOST_RECORDS} at once", lines.len());
        return Err(IntakeError::Faults(vec![ingest::fault("", reason)]));
    }
    let outcomes: Vec<_> = stream::iter(lines)
        .map(|line| {
            let store = store.clone();
            async move { import::import(&store, &line).await }
        })
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    let answer: String =
        outcomes.iter().map(|outcome| serde_json::to_string(outcome).unwrap_or_default() + "\n").collect();
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from(answer)).into_response())
}
