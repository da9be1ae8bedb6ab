//! Registering, reading and changing an episode.

use axum::Json;
use axum::extract::State;
use axum::http::header::{ETAG, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use lasegue_platform::http::{EpisodeId, IdempotencyKey};
use lasegue_platform::store::Store;
use serde_json::{Value, json};

use crate::error::IntakeError;
use crate::store::requests::Request;
use crate::store::{adjudications, episodes, submissions};
use crate::{change, json as text, register};

pub(super) async fn register(
    State(store): State<Store>,
    key: Option<IdempotencyKey>,
    body: Bytes,
) -> Result<Response, IntakeError> {
    let content_hash = text::hash(&body);
    let request = key.map(|IdempotencyKey(key)| Request { scope: "episodes".to_owned(), key, content_hash });
    let id = register::register(&store, text::read(&body)?, request).await?;
    let location = [(LOCATION, format!("/api/v1/episodes/{id}"))];
    Ok((StatusCode::CREATED, location, Json(json!({ "id": id }))).into_response())
}

/// Everything known of an episode, for those who may see it.
pub(super) async fn read(State(store): State<Store>, EpisodeId(id): EpisodeId) -> Result<Response, IntakeError> {
    let episode = episodes::find(store.reader(), id).await?;
    let submissions = submissions::of_episode(store.reader(), id).await?;
    let adjudications = adjudications::of_episode(store.reader(), id).await?;
    let mut shown = text::of(&episode.document()?);
    shown["id"] = json!(id);
    shown["version"] = json!(episode.version);
    shown["submissions"] = submissions.iter().map(submission).collect();
    shown["adjudications"] = adjudications.into_iter().map(adjudication).collect();
    Ok(([(ETAG, tag(episode.version))], Json(shown)).into_response())
}

fn submission(row: &submissions::Model) -> Value {
    json!({
        "id": row.id,
        "sender_id": row.sender_id,
        "author": row.body["author"],
        "assessed_at": row.assessed_at,
        "received_at": row.received_at,
        "supersedes": row.body["supersedes"],
    })
}

fn adjudication(row: adjudications::Model) -> Value {
    let mut shown = row.body;
    shown["id"] = json!(row.id);
    shown
}

pub(super) async fn change(
    State(store): State<Store>,
    EpisodeId(id): EpisodeId,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, IntakeError> {
    let version = change::change(&store, id, text::read(&body)?, seen(&headers)).await?;
    Ok(([(ETAG, tag(version))], Json(json!({ "id": id, "version": version }))).into_response())
}

fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The version that the sender has read. A tag that is none of ours matches no version; `*` matches every one.
fn seen(headers: &HeaderMap) -> Option<i64> {
    let given = headers.get(IF_MATCH)?.to_str().unwrap_or_default().trim();
    (given != "*").then(|| given.trim_matches('"').parse().unwrap_or_default())
}
