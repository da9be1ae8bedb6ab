//! Taking one submission: all of it is valid and kept with its event, or it is refused with everything that is wrong.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lasegue_contracts::event::Lane;
use lasegue_platform::audit::Deed;
use lasegue_platform::auth::Identity;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{Draft, Fault, Registration, Submission, parse_submission};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

use crate::effects;
use crate::error::IntakeError;
use crate::future;
use crate::json::{self, fault};
use crate::messages;
use crate::room::{self, Pieces};
use crate::store::requests::Request;
use crate::store::{episodes, refusals, submissions};

/// A valid submission, with what it replaces.
#[derive(Clone, Debug)]
struct Accepted {
    episode: Uuid,
    submission: Submission,
    supersedes: Option<Superseded>,
}

/// A submission that another one replaces.
#[derive(Clone, Debug)]
struct Superseded {
    id: Uuid,
    sender_id: String,
}

/// Who sent a submission, and under which idempotency key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    pub(crate) sender: &'a str,
    pub(crate) key: Option<&'a str>,
}

/// Takes the submission in `body` and gives its id; the same answer for a retry with the same key.
pub(crate) async fn submit(
    store: &Store,
    episode: Uuid,
    key: String,
    body: &[u8],
    caller: &Identity,
) -> Result<Uuid, IntakeError> {
    let registration = episodes::find(store.reader(), episode).await?.registration()?;
    let scope = format!("submissions/{episode}/{}", caller.subject);
    let request = Request { scope, key, content_hash: json::hash(body) };
    if let Some(id) = request.answered(store.reader()).await? {
        return Ok(id);
    }
    let now = store.clock().now();
    let mut parsed = parse_submission(&json::read(body)?);
    parsed.faults.extend(circumstances(&parsed.value, &registration, caller, now));
    let supersedes = superseded(store.reader(), episode, &parsed.value).await?;
    if parsed.value.supersedes.is_some() && supersedes.is_none() {
        parsed.faults.push(fault("/supersedes", "names no submission of this episode"));
    }
    let mut submission = parsed.accept().map_err(IntakeError::Faults)?;
    submission.received_at.get_or_insert(now.fixed_offset());
    let accepted = Accepted { episode, submission, supersedes };
    let sender = caller.subject.clone();
    retry_conflicts(|| {
        let (accepted, request, sender) = (accepted.clone(), request.clone(), sender.clone());
        store.commit(move |unit| Box::pin(submit_once(unit, accepted, request, sender)))
    })
    .await
}

/// What only the submission, its episode, its sender and the present together can show.
fn circumstances(draft: &Draft, registration: &Registration, caller: &Identity, now: DateTime<Utc>) -> Vec<Fault> {
    let mut faults = future::draft(draft, registration, now);
    if draft.received_at.is_some() && !effects::DATE_RECEIPT.alone.contains(&caller.role) {
        faults.push(fault("/received_at", "is stamped on arrival: leave it out"));
    }
    faults
}

async fn superseded(
    db: &impl ConnectionTrait,
    episode: Uuid,
    draft: &Draft,
) -> Result<Option<Superseded>, IntakeError> {
    let Some(name) = &draft.supersedes else { return Ok(None) };
    let row = submissions::resolve(db, episode, name).await?;
    Ok(row.map(|row| Superseded { id: row.id, sender_id: row.sender_id }))
}

async fn submit_once(
    unit: &mut Unit,
    accepted: Accepted,
    request: Request,
    sender: String,
) -> Result<Uuid, IntakeError> {
    if let Some(id) = request.answered(unit.db()).await? {
        return Ok(id);
    }
    let id = insert(unit, accepted, By { sender: &sender, key: Some(&request.key) }).await?;
    request.keep(unit.db(), id, unit.now()).await?;
    unit.account(StatusCode::ACCEPTED, Deed::default()).await?;
    Ok(id)
}

/// Writes a submission and its event, unless it is there already. Gives its id.
///
/// # Errors
/// When the sender's id was accepted with another content, or the episode is full.
async fn insert(unit: &mut Unit, accepted: Accepted, by: By<'_>) -> Result<Uuid, IntakeError> {
    let row = submissions::row(accepted.episode, &accepted.submission);
    let id = row.id;
    if let Some(known) = submissions::Entity::find_by_id(id).one(unit.db()).await? {
        let same = known.content_hash == row.content_hash;
        return if same { Ok(id) } else { Err(IntakeError::IdReused) };
    }
    room::check(unit, accepted.episode, Pieces::ONE_SUBMISSION).await?;
    let own = accepted.submission.id.0.clone();
    let replaced = accepted.supersedes.as_ref().map(|superseded| superseded.sender_id.clone());
    let names: Vec<_> = replaced.into_iter().chain([own]).collect();
    correct(unit, accepted.episode, &names, by).await?;
    submissions::Entity::insert(row.into_active_model()).exec_without_returning(unit.db()).await?;
    let supersedes = accepted.supersedes.map(|superseded| superseded.id);
    let event = messages::submitted(accepted.episode, id, supersedes, &accepted.submission);
    unit.publish(Lane::Live, accepted.episode, &event).await?;
    Ok(id)
}

/// Tells on-call that accepted submissions, by these of the sender's ids, take the place of refused ones.
pub(crate) async fn correct(unit: &mut Unit, episode: Uuid, names: &[String], by: By<'_>) -> Result<(), IntakeError> {
    let corrected = refusals::corrected_by(unit.db(), episode, by.sender, names, by.key).await?;
    if corrected.is_empty() {
        return Ok(());
    }
    refusals::mark_corrected(unit.db(), &corrected, unit.now()).await?;
    for refusal in corrected.into_iter().filter(|refusal| refusal.reason.is_some()) {
        let event = messages::corrected(&refusal, unit.now());
        unit.publish(Lane::Live, refusal.alert(), &event).await?;
    }
    Ok(())
}
