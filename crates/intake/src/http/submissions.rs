//! What arrives about an episode: submissions and adjudications; and the submissions that were refused.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use lasegue_platform::auth::Identity;
use lasegue_platform::detached;
use lasegue_platform::http::{EpisodeId, IdempotencyKey, Problem};
use lasegue_platform::store::Store;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

use super::{accepted, misplaced};
use crate::body::{self, Received};
use crate::error::IntakeError;
use crate::refuse::{self, Of, Refused};
use crate::store::refusals;
use crate::{adjudicate, submit};

/// Takes a submission. Whatever is wrong with it, nothing of it is dropped, and be its sender gone: it is accepted, or kept in
/// quarantine.
pub(super) async fn submit(
    State(store): State<Store>,
    EpisodeId(episode): EpisodeId,
    caller: Identity,
    key: Result<IdempotencyKey, Problem>,
    body: Body,
) -> Result<Response, IntakeError> {
    let received = body::receive(body, store.clock()).await;
    detached::run(async move { keep(&store, episode, caller, key, received).await }).await
}

async fn keep(
    store: &Store,
    episode: Uuid,
    caller: Identity,
    key: Result<IdempotencyKey, Problem>,
    Received { bytes, cut }: Received,
) -> Result<Response, IntakeError> {
    let sent_key = key.as_ref().ok().map(|IdempotencyKey(key)| key.clone());
    let taken = match cut {
        None => take(store, episode, &caller, key, &bytes).await,
        Some(cut) => Err(cut),
    };
    let refusal = taken.as_ref().err().and_then(IntakeError::refusal);
    count(if taken.is_ok() {
        "accepted"
    } else if refusal.is_some() {
        "refused"
    } else {
        "failed"
    });
    if let Some(faults) = refusal {
        let refused = Refused { of: Of::Episode(episode), sender: caller.subject, key: sent_key, body: bytes, faults };
        refuse::refuse(store, vec![refused]).await?;
    }
    taken.map(accepted)
}

/// A submission that was sent by another method than POST.
pub(super) async fn by_wrong_method(
    State(store): State<Store>,
    EpisodeId(episode): EpisodeId,
    caller: Identity,
    body: Body,
) -> IntakeError {
    stray(&store, episode, caller, body, IntakeError::WrongMethod).await
}

/// A submission whose address was spelt otherwise.
pub(super) async fn misaddressed(
    State(store): State<Store>,
    EpisodeId(episode): EpisodeId,
    caller: Identity,
    body: Body,
) -> IntakeError {
    stray(&store, episode, caller, body, IntakeError::Misaddressed).await
}

/// Keeps and reads what was not sent as a submission has to be, and says so.
async fn stray(store: &Store, episode: Uuid, caller: Identity, body: Body, why: IntakeError) -> IntakeError {
    let Received { bytes, .. } = body::receive(body, store.clock()).await;
    if bytes.is_empty() {
        return why;
    }
    count("refused");
    let faults = why.refusal().unwrap_or_default();
    let refused = Refused { of: Of::Episode(episode), sender: caller.subject, key: None, body: bytes, faults };
    let store = store.clone();
    detached::run(async move { refuse::refuse(&store, vec![refused]).await }).await.err().unwrap_or(why)
}

fn count(outcome: &'static str) {
    metrics::counter!("intake_submissions_total", "outcome" => outcome).increment(1);
}

async fn take(
    store: &Store,
    episode: Uuid,
    caller: &Identity,
    key: Result<IdempotencyKey, Problem>,
    body: &[u8],
) -> Result<Uuid, IntakeError> {
    let IdempotencyKey(key) = key.map_err(IntakeError::Key)?;
    submit::submit(store, episode, key, body, caller).await
}

/// What was refused for an episode, newest first, for the clinician who was paged about it.
pub(super) async fn refusals(
    State(store): State<Store>,
    EpisodeId(episode): EpisodeId,
) -> Result<Json<Value>, IntakeError> {
    let rows = refusals::of_episode(store.reader(), episode).await?;
    Ok(Json(json!({ "refusals": rows.iter().map(refusal).collect::<Vec<_>>() })))
}

fn refusal(row: &refusals::Model) -> Value {
    json!({
        "id": row.id,
        "received_at": row.received_at,
        "last_received_at": row.last_received_at,
        "times": row.times,
        "corrected_at": row.corrected_at,
        "reason": row.reason.map(refusals::Reason::word),
        "faults": row.faults,
        "body": String::from_utf8_lossy(&row.body),
    })
}

pub(super) async fn adjudicate(
    State(store): State<Store>,
    EpisodeId(episode): EpisodeId,
    caller: Identity,
    IdempotencyKey(key): IdempotencyKey,
    body: Bytes,
) -> Result<Response, IntakeError> {
    match adjudicate::adjudicate(&store, episode, key, &body, &caller).await {
        Ok(id) => Ok(accepted(id)),
        Err(why) => Err(misplaced::read(&store, episode, caller, &body, why).await),
    }
}
