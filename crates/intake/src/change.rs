//! Changing what is registered of an episode. Each change has a higher version; events tell the whole blocks, never a
//! difference, and only when the blocks themselves changed.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lasegue_contracts::event::Lane;
use lasegue_platform::audit::Deed;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde_json::Value;

use crate::document::{Document, Refs};
use crate::error::IntakeError;
use crate::json::{self, fault};
use crate::messages;
use crate::store::episodes;

/// Lays `patch` over the episode `id` and gives its version then. `seen` is the version that the sender has read.
pub(crate) async fn change(store: &Store, id: Uuid, patch: Value, seen: Option<i64>) -> Result<i64, IntakeError> {
    if !patch.is_object() {
        return Err(fault("", "must be an object with the fields to change").into());
    }
    retry_conflicts(|| change_once(store, id, patch.clone(), seen)).await
}

async fn change_once(store: &Store, id: Uuid, patch: Value, seen: Option<i64>) -> Result<i64, IntakeError> {
    let found = episodes::find(store.reader(), id).await?;
    if seen.is_some_and(|seen| seen != found.version) {
        return Err(IntakeError::VersionPassed { current: found.version });
    }
    let known = found.document()?;
    let mut merged = json::of(&known);
    json::merge(&mut merged, patch);
    let document = Document::parse(merged, store.clock().now()).map_err(IntakeError::Faults)?;
    if document == known {
        return Ok(found.version);
    }
    store.commit(move |unit| Box::pin(change_in(unit, found, document))).await
}

async fn change_in(unit: &mut Unit, found: episodes::Model, document: Document) -> Result<i64, IntakeError> {
    let refs = document.refs();
    if let Some(refs) = &refs
        && let Some(other) = episodes::find_by_refs(unit.db(), refs).await?.filter(|other| other.id != found.id)
    {
        return Err(IntakeError::AlreadyRegistered(other.id));
    }
    let imported_hash = found.imported_hash.clone();
    let same_blocks = json::of(&document.registration) == found.blocks;
    let version = update(unit, &found, &document, refs, imported_hash).await?;
    let deed = Deed::about(found.id).changing(&json::of(&found.document()?), &json::of(&document));
    unit.account(StatusCode::OK, deed).await?;
    if !same_blocks {
        unit.publish(Lane::Live, found.id, &messages::updated(found.id, version, &document.registration)).await?;
    }
    Ok(version)
}

/// The version after `read`, as of `now`: the time in milliseconds, or one more when that is no more. A database that was
/// restored from a backup so never gives a number again that assessment knows, and would ignore.
fn next_version(read: i64, now: DateTime<Utc>) -> i64 {
    now.timestamp_millis().max(read + 1)
}

/// Writes another document over `found`, without an event, and gives the new version.
pub(crate) async fn update(
    unit: &Unit,
    found: &episodes::Model,
    document: &Document,
    refs: Option<Refs>,
    imported_hash: Option<String>,
) -> Result<i64, IntakeError> {
    let version = next_version(found.version, unit.now());
    let row = episodes::ActiveModel {
        version: Set(version),
        imported_hash: Set(imported_hash),
        ..episodes::columns(document, refs)
    };
    let updated = episodes::Entity::update_many()
        .set(row)
        .filter(episodes::Column::Id.eq(found.id))
        .filter(episodes::Column::Version.eq(found.version))
        .exec(unit.db())
        .await?;
    unit.expect_one(updated.rows_affected)?;
    Ok(version)
}
