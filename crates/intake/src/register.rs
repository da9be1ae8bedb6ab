//! Registering an episode, once, however often it is sent.

use axum::http::StatusCode;
use lasegue_contracts::event::Lane;
use lasegue_platform::audit::Deed;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde_json::Value;

use crate::document::{Document, Refs};
use crate::error::IntakeError;
use crate::messages;
use crate::store::requests::Request;
use crate::store::{episodes, refusals};

/// Registers the episode of `body` and gives its id; the same answer for a retry with the same key.
pub(crate) async fn register(store: &Store, body: Value, request: Option<Request>) -> Result<Uuid, IntakeError> {
    let document = Document::parse(body, store.clock().now()).map_err(IntakeError::Faults)?;
    retry_conflicts(|| {
        let (document, request) = (document.clone(), request.clone());
        store.commit(move |unit| Box::pin(register_once(unit, document, request)))
    })
    .await
}

async fn register_once(unit: &mut Unit, document: Document, request: Option<Request>) -> Result<Uuid, IntakeError> {
    if let Some(request) = &request
        && let Some(id) = request.answered(unit.db()).await?
    {
        return Ok(id);
    }
    let refs = document.refs();
    if let Some(refs) = &refs
        && let Some(known) = episodes::find_by_refs(unit.db(), refs).await?
    {
        return Err(IntakeError::AlreadyRegistered(known.id));
    }
    let id = insert(unit, document, refs).await?;
    unit.account(StatusCode::CREATED, Deed::about(id)).await?;
    if let Some(request) = request {
        request.keep(unit.db(), id, unit.now()).await?;
    }
    Ok(id)
}

/// Writes a new episode and its event.
async fn insert(unit: &mut Unit, document: Document, refs: Option<Refs>) -> Result<Uuid, IntakeError> {
    let kept = match &refs {
        Some(refs) => refusals::kept_id(unit.db(), refs).await?,
        None => None,
    };
    let id = kept.unwrap_or_else(|| unit.id());
    write(unit, id, &document, refs, None).await?;
    unit.publish(Lane::Live, id, &messages::registered(id, 1, &document.registration)).await?;
    Ok(id)
}

/// Writes a new episode of version 1, without an event.
pub(crate) async fn write(
    unit: &Unit,
    id: Uuid,
    document: &Document,
    refs: Option<Refs>,
    imported_hash: Option<String>,
) -> Result<(), IntakeError> {
    let row = episodes::ActiveModel {
        id: Set(id),
        version: Set(1),
        imported_hash: Set(imported_hash),
        created_at: Set(unit.now()),
        ..episodes::columns(document, refs)
    };
    episodes::Entity::insert(row).exec_without_returning(unit.db()).await?;
    Ok(())
}
