//! Taking what a person signed: a disposition, a void, a long-standing symptom.

use lasegue_contracts::event::Lane;
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::store::{Store, Unit};
use lasegue_protocol::record::{Adjudication, Decision, parse_adjudication};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use serde_json::{Value, json};

use crate::error::IntakeError;
use crate::ingest::{self, fault, not_in_future};
use crate::messages;
use crate::store::requests::Request;
use crate::store::{adjudications, episodes, submissions};

/// Takes the adjudication in `body` and gives its id; the same answer for a retry with the same key.
pub(crate) async fn adjudicate(
    store: &Store,
    episode: Uuid,
    key: String,
    body: &[u8],
    caller: &Identity,
) -> Result<Uuid, IntakeError> {
    episodes::find(store.reader(), episode).await?;
    let request = Request { scope: format!("adjudications/{episode}"), key, content_hash: ingest::hash(body) };
    let adjudication = parse(ingest::json(body)?, caller)?;
    if let Some(future) = not_in_future("/at", adjudication.at.to_utc(), store.clock().now()) {
        return Err(IntakeError::Faults(vec![future]));
    }
    let signed = resolve(store.reader(), episode, adjudication).await?;
    store.commit(move |unit| Box::pin(keep(unit, signed, request))).await
}

/// A clinician signs with the name of the token; a system names who signed.
fn parse(mut body: Value, caller: &Identity) -> Result<Adjudication, IntakeError> {
    if caller.role == Role::Clinician
        && let Some(fields) = body.as_object_mut()
    {
        let signer = fields.entry("by").or_insert_with(|| json!(caller.subject));
        if *signer != json!(caller.subject) {
            let reason = format!("must be your own name, {}, or be left out", caller.subject);
            return Err(IntakeError::Faults(vec![fault("/by", reason)]));
        }
    }
    parse_adjudication(&body).map_err(IntakeError::Faults)
}

/// An adjudication, with the submission it voids by our own id.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) episode: Uuid,
    pub(crate) adjudication: Adjudication,
    pub(crate) voids: Option<Uuid>,
}

pub(crate) async fn resolve(
    db: &impl ConnectionTrait,
    episode: Uuid,
    adjudication: Adjudication,
) -> Result<Signed, IntakeError> {
    let voids = match &adjudication.decision {
        Decision::Void { submission } => {
            let named = submissions::resolve(db, episode, submission).await?;
            let unknown = || IntakeError::Faults(vec![fault("/submission", "names no submission of this episode")]);
            Some(named.ok_or_else(unknown)?)
        }
        _ => None,
    };
    Ok(Signed { episode, adjudication, voids })
}

async fn keep(unit: &mut Unit, signed: Signed, request: Request) -> Result<Uuid, IntakeError> {
    if let Some(id) = request.answered(unit.db()).await? {
        return Ok(id);
    }
    let id = insert(unit, Lane::Live, signed).await?.0;
    request.keep(unit.db(), id, unit.now()).await?;
    Ok(id)
}

/// Writes an adjudication and its event, unless it is there already. Gives its id and whether it is new.
pub(crate) async fn insert(unit: &mut Unit, lane: Lane, signed: Signed) -> Result<(Uuid, bool), IntakeError> {
    let row = adjudications::row(signed.episode, &signed.adjudication);
    let id = row.id;
    if adjudications::Entity::find_by_id(id).one(unit.db()).await?.is_some() {
        return Ok((id, false));
    }
    adjudications::Entity::insert(row.into_active_model()).exec_without_returning(unit.db()).await?;
    let event = messages::adjudicated(signed.episode, id, signed.voids, &signed.adjudication);
    unit.publish(lane, signed.episode, &event).await?;
    Ok((id, true))
}
