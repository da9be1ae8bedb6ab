//! Registering, reading and changing an episode.

use axum::Json;
use axum::extract::State;
use axum::http::header::{ETAG, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use lasegue_platform::auth::Identity;
use lasegue_platform::http::{EpisodeId, IdempotencyKey, Query};
use lasegue_platform::store::Store;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde_json::{Value, json};

use super::misplaced;
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

/// From where on the two lists are read backwards: our id of the oldest that the page before showed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    submissions_before: Option<Uuid>,
    adjudications_before: Option<Uuid>,
}

/// What is registered of an episode, and the latest of what arrived about it, for those who may see it.
pub(super) async fn read(
    State(store): State<Store>,
    EpisodeId(id): EpisodeId,
    Query(before): Query<Before>,
) -> Result<Response, IntakeError> {
    let episode = episodes::find(store.reader(), id).await?;
    let submissions = submissions::page(store.reader(), id, before.submissions_before).await?;
    let adjudications = adjudications::page(store.reader(), id, before.adjudications_before).await?;
    let mut shown = text::of(&episode.document()?);
    shown["id"] = json!(id);
    shown["version"] = json!(episode.version);
    shown["submissions_before"] = json!(submissions.older.then(|| submissions.rows.first().map(|row| row.id)));
    shown["adjudications_before"] = json!(adjudications.older.then(|| adjudications.rows.first().map(|row| row.id)));
    shown["submissions"] = submissions.rows.iter().map(submission).collect();
    shown["adjudications"] = adjudications.rows.into_iter().map(adjudication).collect();
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
    caller: Identity,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, IntakeError> {
    let changed = match text::read(&body) {
        Ok(patch) => change::change(&store, id, patch, seen(&headers)).await,
        Err(fault) => Err(fault.into()),
    };
    let version = match changed {
        Ok(version) => version,
        Err(why) => return Err(misplaced::read(&store, id, caller, &body, why).await),
    };
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
