//! Taking one submission: all of it is valid and kept with its event, or it is refused with everything that is wrong.

use chrono::{DateTime, Utc};
use lasegue_contracts::event::Lane;
use lasegue_platform::auth::{Identity, Role};
use lasegue_platform::store::{Store, Unit};
use lasegue_protocol::record::{Draft, Fault, Record, Registration, Submission, check_record, parse_submission};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

use crate::error::IntakeError;
use crate::ingest::{self, fault, not_in_future};
use crate::messages;
use crate::store::requests::Request;
use crate::store::{episodes, refusals, submissions};

/// Takes the submission in `body` and gives its id; the same answer for a retry with the same key.
pub(crate) async fn submit(
    store: &Store,
    episode: Uuid,
    key: String,
    body: &[u8],
    caller: &Identity,
) -> Result<Uuid, IntakeError> {
    let registration = episodes::find(store.reader(), episode).await?.registration()?;
    let request = Request { scope: format!("submissions/{episode}"), key, content_hash: ingest::hash(body) };
    if let Some(id) = request.answered(store.reader()).await? {
        return Ok(id);
    }
    let now = store.clock().now();
    let mut parsed = parse_submission(&ingest::json(body)?);
    parsed.faults.extend(together(&parsed.value, &registration, caller, now));
    let named = parsed.value.supersedes.clone();
    let supersedes = match &named {
        Some(named) => submissions::resolve(store.reader(), episode, named).await?,
        None => None,
    };
    if named.is_some() && supersedes.is_none() {
        parsed.faults.push(fault("/supersedes", "names no submission of this episode"));
    }
    let mut submission = parsed.accept().map_err(IntakeError::Faults)?;
    submission.received_at.get_or_insert(now.fixed_offset());
    let accepted = Accepted { episode, submission, supersedes };
    store.commit(move |unit| Box::pin(keep(unit, accepted, request))).await
}

/// A valid submission, with what it replaces by our own id.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) episode: Uuid,
    pub(crate) submission: Submission,
    pub(crate) supersedes: Option<Uuid>,
}

async fn keep(unit: &mut Unit, accepted: Accepted, request: Request) -> Result<Uuid, IntakeError> {
    if let Some(id) = request.answered(unit.db()).await? {
        return Ok(id);
    }
    correct(unit, &accepted, &request.key).await?;
    let id = insert(unit, Lane::Live, accepted).await?.0;
    request.keep(unit.db(), id, unit.now()).await?;
    Ok(id)
}

/// Writes a submission and its event, unless it is there already. Gives its id and whether it is new.
pub(crate) async fn insert(unit: &mut Unit, lane: Lane, accepted: Accepted) -> Result<(Uuid, bool), IntakeError> {
    let row = submissions::row(accepted.episode, &accepted.submission);
    let id = row.id;
    if let Some(known) = submissions::Entity::find_by_id(id).one(unit.db()).await? {
        let same = known.content_hash == row.content_hash;
        return if same { Ok((id, false)) } else { Err(IntakeError::IdReused) };
    }
    submissions::Entity::insert(row.into_active_model()).exec_without_returning(unit.db()).await?;
    let event = messages::submitted(accepted.episode, id, accepted.supersedes, &accepted.submission);
    unit.publish(lane, accepted.episode, &event).await?;
    Ok((id, true))
}

/// Tells on-call that this submission takes the place of refused ones.
async fn correct(unit: &mut Unit, accepted: &Accepted, key: &str) -> Result<(), IntakeError> {
    let submission = &accepted.submission;
    let named: Vec<_> =
        [Some(&submission.id), submission.supersedes.as_ref()].into_iter().flatten().map(|id| id.0.clone()).collect();
    let corrected = refusals::corrected_by(unit.db(), accepted.episode, &named, Some(key)).await?;
    if corrected.is_empty() {
        return Ok(());
    }
    refusals::mark_corrected(unit.db(), &corrected, unit.now()).await?;
    for refusal in corrected {
        let event = messages::corrected(accepted.episode, refusal, unit.now());
        unit.publish(Lane::Live, accepted.episode, &event).await?;
    }
    Ok(())
}

/// What only the submission, its episode and the present together can show.
fn together(draft: &Draft, registration: &Registration, caller: &Identity, now: DateTime<Utc>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if draft.received_at.is_some() && caller.role != Role::System {
        faults.push(fault("/received_at", "is stamped on arrival: leave it out"));
    }
    faults.extend(draft.assessed_at.and_then(|at| not_in_future("/assessed_at", at.to_utc(), now)));
    faults.extend(draft.received_at.and_then(|at| not_in_future("/received_at", at.to_utc(), now)));
    faults.extend(dates(draft, registration, now));
    faults
}

/// Dates in the submission that lie after today.
fn dates(draft: &Draft, registration: &Registration, now: DateTime<Utc>) -> Vec<Fault> {
    let Some(mut submission) = draft.clone().complete() else { return Vec::new() };
    submission.received_at = Some(now.fixed_offset());
    submission.supersedes = None;
    let Registration { patient, episode } = registration.clone();
    let record = Record { patient, episode, submissions: vec![submission], adjudications: Vec::new() };
    let ours = |mut fault: Fault| {
        fault.pointer = fault.pointer.strip_prefix("/submissions/0")?.to_owned();
        Some(fault)
    };
    check_record(&record).into_iter().filter_map(ours).collect()
}
