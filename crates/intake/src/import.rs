//! Taking whole records, many at once, on the bulk lane. Each record is taken whole or not at all, and one that is
//! refused stops no other. The same record again changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_contracts::event::Lane;
use lasegue_platform::store::{Store, Unit, retry_conflicts};
use lasegue_protocol::record::{
    Decision, Fault, Record, Registration, SubmissionId, check_record, danger_signs, parse_submission,
};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde::Serialize;
use serde_json::Value;

use crate::adjudicate::{self, Signed};
use crate::error::IntakeError;
use crate::ingest;
use crate::messages;
use crate::refuse::{Refused, quarantine};
use crate::register::{self, Surroundings};
use crate::store::{episodes, submissions};
use crate::submit::{self, Accepted};

/// A danger sign in a refused record pages when it is at most this old, or when its age cannot be read.
const RECENT: TimeDelta = TimeDelta::days(7);

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It was taken; `submissions` and `adjudications` count what was new in it.
    Accepted { episode: Uuid, submissions: usize, adjudications: usize },
    /// All of it was there already.
    Known { episode: Uuid },
    /// None of it was taken.
    Refused { faults: Vec<Fault> },
}

/// Takes one record of an import.
///
/// # Errors
/// Only when the store fails; what is wrong with the record is an [`Outcome`].
pub(crate) async fn import(store: &Store, line: &[u8]) -> Result<Outcome, IntakeError> {
    let taken = match parse(line) {
        Ok(parsed) => retry_conflicts(|| take(store, parsed.clone())).await,
        Err(faults) => Err(IntakeError::Faults(faults)),
    };
    match taken {
        Err(error) if error.is_refusal() => {
            let faults = error.faults();
            set_aside(store, line, faults.clone()).await?;
            Ok(Outcome::Refused { faults })
        }
        other => other,
    }
}

fn parse(line: &[u8]) -> Result<(Record, Surroundings), Vec<Fault>> {
    let mut value = ingest::json(line).map_err(|error| error.faults())?;
    let mut faults = Vec::new();
    let surroundings = value.as_object_mut().map(|fields| Surroundings::take(fields, &mut faults)).unwrap_or_default();
    let record = Record::parse(&value).map_err(|found| [faults.clone(), found].concat())?;
    faults.extend(check_record(&record));
    if faults.is_empty() { Ok((record, surroundings)) } else { Err(faults) }
}

async fn take(store: &Store, (record, surroundings): (Record, Surroundings)) -> Result<Outcome, IntakeError> {
    store.commit(move |unit| Box::pin(take_in(unit, record, surroundings))).await
}

async fn take_in(unit: &mut Unit, record: Record, surroundings: Surroundings) -> Result<Outcome, IntakeError> {
    let Record { patient, episode, submissions, adjudications } = record;
    let registration = Registration { patient, episode };
    let (episode, mut changed) = episode_of(unit, registration, surroundings).await?;
    let (mut new_submissions, mut new_adjudications) = (0, 0);
    let ours = |name: &SubmissionId| submissions::id_of(episode, name);
    for submission in submissions {
        let supersedes = submission.supersedes.as_ref().map(ours);
        let accepted = Accepted { episode, submission, supersedes };
        new_submissions += usize::from(submit::insert(unit, Lane::Bulk, accepted).await?.1);
    }
    for adjudication in adjudications {
        let voids = match &adjudication.decision {
            Decision::Void { submission } => Some(ours(submission)),
            _ => None,
        };
        let signed = Signed { episode, adjudication, voids };
        new_adjudications += usize::from(adjudicate::insert(unit, Lane::Bulk, signed).await?.1);
    }
    changed |= new_submissions + new_adjudications > 0;
    if changed {
        Ok(Outcome::Accepted { episode, submissions: new_submissions, adjudications: new_adjudications })
    } else {
        Ok(Outcome::Known { episode })
    }
}

/// The episode of a record, registered or brought up to date, and whether that changed anything.
async fn episode_of(
    unit: &mut Unit,
    registration: Registration,
    surroundings: Surroundings,
) -> Result<(Uuid, bool), IntakeError> {
    let blocks = serde_json::to_value(&registration).unwrap_or_default();
    let (patient, episode) = refs(&registration, &blocks);
    let Some(known) = episodes::find_by_refs(unit.db(), Some(&patient), Some(&episode)).await? else {
        let refs = (Some(patient), Some(episode));
        return Ok((register::insert(unit, Lane::Bulk, registration, surroundings, refs).await?, true));
    };
    if known.blocks == blocks {
        return Ok((known.id, false));
    }
    let row = episodes::ActiveModel { blocks: Set(blocks), version: Set(known.version + 1), ..Default::default() };
    let updated = episodes::Entity::update_many()
        .set(row)
        .filter(episodes::Column::Id.eq(known.id))
        .filter(episodes::Column::Version.eq(known.version))
        .exec(unit.db())
        .await?;
    unit.expect_one(updated.rows_affected)?;
    unit.publish(Lane::Bulk, known.id, &messages::updated(known.id, known.version + 1, &registration)).await?;
    Ok((known.id, true))
}

/// The sender's ids; where there are none, the content of the blocks stands for them.
fn refs(registration: &Registration, blocks: &Value) -> (String, String) {
    let by_content = || format!("sha256:{}", ingest::hash(blocks.to_string().as_bytes()));
    let patient = registration.patient.id.clone().unwrap_or_else(by_content);
    let episode = registration.episode.id.clone().unwrap_or_else(by_content);
    (patient, episode)
}

/// Keeps a refused record. A recent danger sign in it pages like one in a live submission.
async fn set_aside(store: &Store, line: &[u8], faults: Vec<Fault>) -> Result<(), IntakeError> {
    let alarming = alarming_submission(line, store.clock().now());
    // The record has no episode of ours; its content stands for one.
    let episode = Uuid::new_v5(&Uuid::NAMESPACE_OID, line);
    let Some(body) = alarming else { return Ok(()) };
    let refused = Refused { episode, key: None, body, faults };
    store
        .commit::<_, IntakeError, _>(move |unit| {
            Box::pin(async move { Ok(quarantine(unit, refused, Lane::Live).await?) })
        })
        .await
}

fn alarming_submission(line: &[u8], now: DateTime<Utc>) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let recent = |submission: &&Value| {
        let draft = parse_submission(submission).value;
        let old = draft.assessed_at.is_some_and(|at| at.to_utc() < now - RECENT);
        !old && !danger_signs(&draft).is_empty()
    };
    value["submissions"].as_array()?.iter().find(recent).map(|submission| submission.to_string().into_bytes())
}
