//! Taking what a person signed: a disposition, a void, a long-standing symptom.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lasegue_contracts::event::Lane;
use lasegue_platform::audit::Deed;
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{Adjudication, Decision, Fault, Registration, parse_adjudication};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use serde_json::{Value, json};

use crate::error::IntakeError;
use crate::future;
use crate::json::{self, fault};
use crate::messages;
use crate::room::{self, Pieces};
use crate::store::requests::Request;
use crate::store::{adjudications, episodes, submissions};

/// An adjudication, with the submission it voids by our own id.
#[derive(Clone, Debug)]
struct Signed {
    episode: Uuid,
    adjudication: Adjudication,
    voids: Option<Uuid>,
}

/// Takes the adjudication in `body` and gives its id; the same answer for a retry with the same key.
pub(crate) async fn adjudicate(
    store: &Store,
    episode: Uuid,
    key: String,
    body: &[u8],
    caller: &Identity,
) -> Result<Uuid, IntakeError> {
    let registration = episodes::find(store.reader(), episode).await?.registration()?;
    let scope = format!("adjudications/{episode}/{}", caller.subject);
    let request = Request { scope, key, content_hash: json::hash(body) };
    if let Some(id) = request.answered(store.reader()).await? {
        return Ok(id);
    }
    let mut adjudication = parse(json::read(body)?, caller).map_err(IntakeError::Faults)?;
    arrive(&mut adjudication, store.clock().now());
    let signed = check(store, (episode, &registration), adjudication).await?;
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
    if caller.role != Role::System && body.get("received_at").is_some() {
        faults.push(fault("/received_at", "is stamped on arrival: leave it out"));
    }
    let parsed = parse_adjudication(&body).map_err(|found| faults.extend(found)).ok();
    parsed.filter(|_| faults.is_empty()).ok_or(faults)
}

/// What only the adjudication, the episode and the present together can show.
async fn check(
    store: &Store,
    (episode, registration): (Uuid, &Registration),
    adjudication: Adjudication,
) -> Result<Signed, IntakeError> {
    let ahead = future::time("/at", adjudication.at, store.clock().now());
    let early = future::unborn("/at", adjudication.at, registration);
    let mut faults: Vec<_> = ahead.into_iter().chain(early).collect();
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
    let id = insert(unit, signed).await?;
    request.keep(unit.db(), id, unit.now()).await?;
    unit.account(StatusCode::ACCEPTED, Deed::default()).await?;
    Ok(id)
}

/// What was not received elsewhere came in now: who signed it can have seen what the record had by then. A record's
/// revision is the time in milliseconds or above it.
fn arrive(adjudication: &mut Adjudication, now: DateTime<Utc>) {
    if adjudication.received_at.is_none() {
        adjudication.received_at = Some(now.fixed_offset());
        adjudication.seen = Some(now.timestamp_millis() - 1);
    }
}

/// When a signature came in: not later than now, whatever it says. One that is dated ahead and does not say so came in
/// now. It covers nothing that comes later.
pub(crate) fn stamp(adjudication: &mut Adjudication, now: DateTime<Utc>) {
    let now = now.fixed_offset();
    if adjudication.at > now {
        adjudication.received_at.get_or_insert(now);
    }
    adjudication.received_at = adjudication.received_at.map(|received| received.min(now));
}

/// Writes an adjudication and its event, unless it is there already. Gives its id.
///
/// # Errors
/// When the episode is full.
async fn insert(unit: &mut Unit, mut signed: Signed) -> Result<Uuid, IntakeError> {
    stamp(&mut signed.adjudication, unit.now());
    let row = adjudications::row(signed.episode, &signed.adjudication);
    let id = row.id;
    if adjudications::Entity::find_by_id(id).one(unit.db()).await?.is_some() {
        return Ok(id);
    }
    room::check(unit, signed.episode, Pieces::ONE_ADJUDICATION).await?;
    adjudications::Entity::insert(row.into_active_model()).exec_without_returning(unit.db()).await?;
    let event = messages::adjudicated(signed.episode, id, signed.voids, &signed.adjudication);
    unit.publish(Lane::Live, signed.episode, &event).await?;
    Ok(id)
}

/// Which codes there are is the active protocol's to say, and that is assessment's; here only their form is known.
fn is_code(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
