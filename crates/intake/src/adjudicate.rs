//! Taking what a person signed: a disposition, a void, a long-standing symptom.

use lasegue_contracts::event::Lane;
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{Adjudication, Decision, Fault, parse_adjudication};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use serde_json::{Value, json};

use crate::error::IntakeError;
use crate::future;
use crate::json::{self, fault};
use crate::messages;
use crate::store::requests::Request;
use crate::store::{adjudications, episodes, submissions};

/// An adjudication, with the submission it voids by our own id.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) episode: Uuid,
    pub(crate) adjudication: Adjudication,
    pub(crate) voids: Option<Uuid>,
}

/// Takes the adjudication in `body` and gives its id; the same answer for a retry with the same key.
pub(crate) async fn adjudicate(
    store: &Store,
    episode: Uuid,
    key: String,
    body: &[u8],
    caller: &Identity,
) -> Result<Uuid, IntakeError> {
    episodes::find(store.reader(), episode).await?;
    let request = Request { scope: format!("adjudications/{episode}"), key, content_hash: json::hash(body) };
    if let Some(id) = request.answered(store.reader()).await? {
        return Ok(id);
    }
    let adjudication = parse(json::read(body)?, caller).map_err(IntakeError::Faults)?;
    let signed = check(store, episode, adjudication).await?;
    retry_conflicts(|| {
        let (signed, request) = (signed.clone(), request.clone());
        store.commit(move |unit| Box::pin(adjudicate_once(unit, signed, request)))
    })
    .await
}

/// A clinician signs with the name of the token; a system names who signed.
fn parse(mut body: Value, caller: &Identity) -> Result<Adjudication, Vec<Fault>> {
    let mut faults = Vec::new();
    if caller.role == Role::Clinician
        && let Some(fields) = body.as_object_mut()
        && *fields.entry("by").or_insert_with(|| json!(caller.subject)) != json!(caller.subject)
    {
        faults.push(fault("/by", format!("must be your own name, {}, or be left out", caller.subject)));
    }
    let parsed = parse_adjudication(&body).map_err(|found| faults.extend(found)).ok();
    parsed.filter(|_| faults.is_empty()).ok_or(faults)
}

/// What only the adjudication, the episode and the present together can show.
async fn check(store: &Store, episode: Uuid, adjudication: Adjudication) -> Result<Signed, IntakeError> {
    let mut faults: Vec<_> = future::time("/at", adjudication.at, store.clock().now()).into_iter().collect();
    let mut voids = None;
    match &adjudication.decision {
        Decision::Void { submission } => {
            voids = submissions::resolve(store.reader(), episode, submission).await?.map(|row| row.id);
            if voids.is_none() {
                faults.push(fault("/submission", "names no submission of this episode"));
            }
        }
        Decision::Disposition { code, .. } if !is_code(code) => {
            faults.push(fault("/code", "must be a finding's code, as motor-deficit-severe"));
        }
        Decision::Disposition { .. } | Decision::Longstanding { .. } => {}
    }
    if faults.is_empty() { Ok(Signed { episode, adjudication, voids }) } else { Err(IntakeError::Faults(faults)) }
}

async fn adjudicate_once(unit: &mut Unit, signed: Signed, request: Request) -> Result<Uuid, IntakeError> {
    if let Some(id) = request.answered(unit.db()).await? {
        return Ok(id);
    }
    let (id, _) = insert(unit, Lane::Live, signed).await?;
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

/// Which codes there are is the active protocol's to say, and that is assessment's; here only their form is known.
fn is_code(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
