//! Taking one submission: all of it is valid and kept with its event, or it is refused with everything that is wrong.

use chrono::{DateTime, Utc};
use lasegue_contracts::event::Lane;
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{Draft, Episode, Fault, Submission, parse_submission};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

use crate::error::IntakeError;
use crate::future;
use crate::json::{self, fault};
use crate::messages;
use crate::store::requests::Request;
use crate::store::{episodes, refusals, submissions};

/// A valid submission, with what it replaces.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) episode: Uuid,
    pub(crate) submission: Submission,
    pub(crate) supersedes: Option<Superseded>,
}

/// A submission that another one replaces.
#[derive(Clone, Debug)]
pub(crate) struct Superseded {
    pub(crate) id: Uuid,
    pub(crate) sender_id: String,
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
    let request = Request { scope: format!("submissions/{episode}"), key, content_hash: json::hash(body) };
    if let Some(id) = request.answered(store.reader()).await? {
        return Ok(id);
    }
    let now = store.clock().now();
    let mut parsed = parse_submission(&json::read(body)?);
    parsed.faults.extend(circumstances(&parsed.value, &registration.episode, caller, now));
    let supersedes = superseded(store.reader(), episode, &parsed.value).await?;
    if parsed.value.supersedes.is_some() && supersedes.is_none() {
        parsed.faults.push(fault("/supersedes", "names no submission of this episode"));
    }
    let mut submission = parsed.accept().map_err(IntakeError::Faults)?;
    submission.received_at.get_or_insert(now.fixed_offset());
    let accepted = Accepted { episode, submission, supersedes };
    retry_conflicts(|| {
        let (accepted, request) = (accepted.clone(), request.clone());
        store.commit(move |unit| Box::pin(submit_once(unit, accepted, request)))
    })
    .await
}

/// What only the submission, its episode, its sender and the present together can show.
fn circumstances(draft: &Draft, episode: &Episode, caller: &Identity, now: DateTime<Utc>) -> Vec<Fault> {
    let mut faults = future::draft(draft, episode, now);
    if draft.received_at.is_some() && caller.role != Role::System {
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

async fn submit_once(unit: &mut Unit, accepted: Accepted, request: Request) -> Result<Uuid, IntakeError> {
    if let Some(id) = request.answered(unit.db()).await? {
        return Ok(id);
    }
    let (id, _) = insert(unit, Lane::Live, accepted, Some(&request.key)).await?;
    request.keep(unit.db(), id, unit.now()).await?;
    Ok(id)
}

/// Writes a submission and its event, unless it is there already. Gives its id and whether it is new.
///
/// # Errors
/// When the sender's id was accepted with another content.
pub(crate) async fn insert(
    unit: &mut Unit,
    lane: Lane,
    accepted: Accepted,
    key: Option<&str>,
) -> Result<(Uuid, bool), IntakeError> {
    let row = submissions::row(accepted.episode, &accepted.submission);
    let id = row.id;
    if let Some(known) = submissions::Entity::find_by_id(id).one(unit.db()).await? {
        let same = known.content_hash == row.content_hash;
        return if same { Ok((id, false)) } else { Err(IntakeError::IdReused) };
    }
    correct(unit, &accepted, key).await?;
    submissions::Entity::insert(row.into_active_model()).exec_without_returning(unit.db()).await?;
    let supersedes = accepted.supersedes.map(|superseded| superseded.id);
    let event = messages::submitted(accepted.episode, id, supersedes, &accepted.submission);
    unit.publish(lane, accepted.episode, &event).await?;
    Ok((id, true))
}

/// Tells on-call that this submission takes the place of refused ones.
async fn correct(unit: &mut Unit, accepted: &Accepted, key: Option<&str>) -> Result<(), IntakeError> {
    let own = accepted.submission.id.0.clone();
    let replaced = accepted.supersedes.as_ref().map(|superseded| superseded.sender_id.clone());
    let names: Vec<_> = replaced.into_iter().chain([own]).collect();
    let corrected = refusals::corrected_by(unit.db(), accepted.episode, &names, key).await?;
    if corrected.is_empty() {
        return Ok(());
    }
    refusals::mark_corrected(unit.db(), &corrected, unit.now()).await?;
    for refusal in corrected.into_iter().filter(|refusal| refusal.reason.is_some()) {
        let event = messages::corrected(accepted.episode, refusal.id, unit.now());
        unit.publish(Lane::Live, accepted.episode, &event).await?;
    }
    Ok(())
}
