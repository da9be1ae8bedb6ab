//! From the record's types to the events: every field, absence preserved, the sender's own ids left behind.

mod blocks;
pub(crate) mod imported;
mod report;

use chrono::{DateTime, Utc};
use lasegue_contracts::intake::{self as proto, adjudication_recorded};
use lasegue_platform::wire::timestamp;
use lasegue_protocol::record::{Adjudication, Author, Decision, Registration, Submission, Tri};
use uuid::Uuid;

use crate::store::refusals;

pub(crate) fn registered(id: Uuid, version: i64, registration: &Registration) -> proto::EpisodeRegistered {
    proto::EpisodeRegistered {
        episode_id: id.to_string(),
        version: version.unsigned_abs(),
        patient: Some(blocks::patient(&registration.patient)),
        episode: Some(blocks::episode(&registration.episode)),
    }
}

pub(crate) fn updated(id: Uuid, version: i64, registration: &Registration) -> proto::EpisodeUpdated {
    let proto::EpisodeRegistered { episode_id, version, patient, episode } = registered(id, version, registration);
    proto::EpisodeUpdated { episode_id, version, patient, episode }
}

pub(crate) fn submitted(
    episode: Uuid,
    id: Uuid,
    supersedes: Option<Uuid>,
    submission: &Submission,
) -> proto::SubmissionAccepted {
    let message = self::submission(id, supersedes, submission);
    proto::SubmissionAccepted { episode_id: episode.to_string(), submission: Some(message) }
}

pub(crate) fn submission(id: Uuid, supersedes: Option<Uuid>, submission: &Submission) -> proto::Submission {
    let author = match submission.author {
        Author::Patient => proto::Author::Patient,
        Author::Clinician => proto::Author::Clinician,
        Author::Ehr => proto::Author::Ehr,
    };
    proto::Submission {
        id: id.to_string(),
        assessed_at: Some(timestamp(submission.assessed_at.to_utc())),
        received_at: submission.received_at.map(|at| timestamp(at.to_utc())),
        author: author.into(),
        supersedes: supersedes.map(|id| id.to_string()),
        ..report::report(&submission.report)
    }
}

pub(crate) fn adjudicated(
    episode: Uuid,
    id: Uuid,
    voids: Option<Uuid>,
    adjudication: &Adjudication,
) -> proto::AdjudicationRecorded {
    use adjudication_recorded::Decision as Message;
    let decision = match &adjudication.decision {
        Decision::Disposition { code, side } => {
            let side = side.map(|side| side.as_str().to_owned()).unwrap_or_default();
            Message::Disposition(proto::Disposition { code: code.clone(), side })
        }
        Decision::Void { .. } => {
            Message::Void(proto::Void { submission_id: voids.map(|id| id.to_string()).unwrap_or_default() })
        }
        Decision::Longstanding { item } => {
            Message::Longstanding(proto::Longstanding { item: item.as_str().to_owned() })
        }
    };
    proto::AdjudicationRecorded {
        episode_id: episode.to_string(),
        adjudication_id: id.to_string(),
        at: Some(timestamp(adjudication.at.to_utc())),
        received_at: adjudication.received_at.map(|at| timestamp(at.to_utc())),
        by: adjudication.by.clone(),
        note: lasegue_contracts::NOTE_STAYS.to_owned(),
        decision: Some(decision),
        seen_revision: adjudication.seen.and_then(|seen| u64::try_from(seen).ok()),
    }
}

pub(crate) fn refused(
    refusal: &refusals::Model,
    at: DateTime<Utc>,
    reason: proto::RefusalReason,
    sender: Uuid,
) -> proto::SubmissionRefused {
    let shared = Some(refusal.episode_id).filter(|episode| *episode != refusal.alert());
    proto::SubmissionRefused {
        episode_id: refusal.alert().to_string(),
        refusal_id: refusal.id.to_string(),
        received_at: Some(timestamp(at)),
        reason: reason.into(),
        sender_id: sender.to_string(),
        sent_to_episode_id: shared.map(|episode| episode.to_string()).unwrap_or_default(),
    }
}

pub(crate) fn corrected(refusal: &refusals::Model, at: DateTime<Utc>) -> proto::RefusalCorrected {
    proto::RefusalCorrected {
        episode_id: refusal.alert().to_string(),
        refusal_id: refusal.id.to_string(),
        corrected_at: Some(timestamp(at)),
    }
}

/// An answer, or that the question was not asked.
fn answer(given: Option<Tri>) -> i32 {
    match given {
        None => proto::Answer::Unspecified,
        Some(Tri::Yes) => proto::Answer::Yes,
        Some(Tri::No) => proto::Answer::No,
        Some(Tri::Unknown) => proto::Answer::Unknown,
    }
    .into()
}
