//! A record's rows and messages, made before anything is written.

use std::collections::{HashMap, HashSet};

use lasegue_contracts::intake as proto;
use lasegue_protocol::record::{Adjudication, Decision, Record, Submission, SubmissionId};
use sea_orm::prelude::Uuid;

use super::Taken;
use crate::error::IntakeError;
use crate::json::fault;
use crate::messages;
use crate::room::Pieces;
use crate::store::{adjudications, submissions};

/// Everything that a record may add to its episode.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) episode: Uuid,
    /// Our ids of all of it.
    pub(super) taken: Taken,
    pub(super) submissions: Vec<(submissions::Model, proto::Submission)>,
    pub(super) adjudications: Vec<(adjudications::Model, proto::AdjudicationRecorded)>,
    /// Of each submission that replaces another: its id, and what the sender calls the other.
    replaces: HashMap<Uuid, String>,
}

impl Prepared {
    /// The rows and messages of `record`, whose episode has the id `episode`. What a submission replaces is in the same
    /// record, by the sender's id.
    pub(super) fn of(episode: Uuid, record: &Record) -> Self {
        let ours = |name: &SubmissionId| submissions::id_of(episode, name);
        let submission = |submission: &Submission| {
            let row = submissions::row(episode, submission);
            let supersedes = submission.supersedes.as_ref().map(ours);
            let message = messages::submission(row.id, supersedes, submission);
            (row, message)
        };
        let adjudication = |adjudication: &Adjudication| {
            let row = adjudications::row(episode, adjudication);
            let voids = match &adjudication.decision {
                Decision::Void { submission } => Some(ours(submission)),
                Decision::Disposition { .. } | Decision::Longstanding { .. } => None,
            };
            let message = messages::adjudicated(episode, row.id, voids, adjudication);
            (row, message)
        };
        let replacing =
            |submission: &Submission| Some((ours(&submission.id), submission.supersedes.as_ref()?.0.clone()));
        let submissions: Vec<_> = record.submissions.iter().map(submission).collect();
        let mut adjudications: Vec<_> = record.adjudications.iter().map(adjudication).collect();
        let taken = Taken {
            episode,
            submissions: submissions.iter().map(|(row, _)| row.id).collect(),
            adjudications: adjudications.iter().map(|(row, _)| row.id).collect(),
        };
        let mut seen = HashSet::new();
        adjudications.retain(|(row, _)| seen.insert(row.id));
        Self {
            episode,
            taken,
            submissions,
            adjudications,
            replaces: record.submissions.iter().filter_map(replacing).collect(),
        }
    }

    /// An error for the first submission that is known with another content.
    pub(super) fn contradiction(&self, known: &HashMap<Uuid, String>) -> Result<(), IntakeError> {
        let contradicts = |row: &submissions::Model| known.get(&row.id).is_some_and(|hash| *hash != row.content_hash);
        match self.submissions.iter().position(|(row, _)| contradicts(row)) {
            None => Ok(()),
            Some(index) => {
                let reason = "was accepted with another content: to correct it, add a new id that supersedes this one";
                Err(fault(&format!("/submissions/{index}/id"), reason).into())
            }
        }
    }

    /// How much it is.
    pub(super) fn pieces(&self) -> Pieces {
        Pieces { submissions: self.submissions.len(), adjudications: self.adjudications.len() }
    }

    /// Only what is not known.
    pub(super) fn without(mut self, known: &HashMap<Uuid, String>, known_signed: &HashSet<Uuid>) -> Self {
        self.submissions.retain(|(row, _)| !known.contains_key(&row.id));
        self.adjudications.retain(|(row, _)| !known_signed.contains(&row.id));
        self
    }

    /// What the sender calls the submissions and those that they replace.
    pub(super) fn names(&self) -> Vec<String> {
        let own = self.submissions.iter().map(|(row, _)| row.sender_id.clone());
        let replaced = self.submissions.iter().filter_map(|(row, _)| self.replaces.get(&row.id).cloned());
        own.chain(replaced).collect()
    }
}
