//! An episode's record as it stands at a revision, put together from its pieces.

use std::collections::HashSet;

use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use lasegue_platform::store::StoreError;
use lasegue_protocol::record::{Adjudication, Record, Registration, Submission, SubmissionId};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::limits::{MOST_ADJUDICATIONS, MOST_SUBMISSIONS};
use crate::store::pieces::Kind;
use crate::store::{episodes, pieces, to_json};

/// What an event adds to a record.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// The patient and episode blocks, whole.
    Blocks { version: i64, registration: Box<Registration> },
    /// A submission under its id.
    Submission { id: Uuid, submission: Box<Submission> },
    /// An adjudication under its id.
    Adjudication { id: Uuid, adjudication: Adjudication },
}

/// Why a change cannot become part of a record. The event that brings it is set aside and an operator told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The record is as large as one may be.
    #[error("the episode has {most} {kind}s, as many as one may have: open a new episode for this patient")]
    Full { kind: Kind, most: usize },
    /// Its id is taken, by other content.
    #[error("the episode has another {kind} with the id {id}: its sender changed what never changes")]
    Contradiction { kind: Kind, id: Uuid },
}

/// A record at a revision, with everything that belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Where the record stands; revision 0 before the first piece.
    pub(crate) row: episodes::Model,
    pieces: Vec<pieces::Model>,
}

/// What changes make of a record.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    /// The record with the changes, its row not yet moved on.
    pub(crate) history: History,
    /// The pieces to keep; none when only the blocks have changed.
    pub(crate) pieces: Vec<pieces::Model>,
}

impl Changed {
    /// Whether a submission is among the changes.
    pub(crate) fn brings_a_submission(&self) -> bool {
        self.pieces.iter().any(|piece| piece.kind == Kind::Submission)
    }

    /// The first `most` pieces and the row that goes with them, when there are more.
    pub(crate) fn ahead(&mut self, most: usize) -> Option<(episodes::Model, Vec<pieces::Model>)> {
        let more = self.pieces.len() > most;
        more.then(|| (self.history.row.clone(), self.pieces.drain(..most).collect()))
    }

    /// Goes on from `revision`, which what was taken ahead has made.
    pub(crate) const fn moved_on(&mut self, revision: i64) {
        self.history.row.revision = revision;
    }
}

impl History {
    /// Reads what is known of `episode`.
    pub(crate) async fn read(db: &impl ConnectionTrait, episode: Uuid) -> Result<Self, StoreError> {
        let row = episodes::Entity::find_by_id(episode).one(db).await?;
        let row = row.unwrap_or_else(|| episodes::Model::unknown(episode));
        // A commit may come between the two readings: what it added is of a later revision than the row.
        let pieces = pieces::of_episode(db, episode, row.revision).await?;
        Ok(Self { row, pieces })
    }

    /// The record with what events bring; none when it knows all of that already.
    pub(crate) fn with<'c>(
        mut self,
        changes: impl IntoIterator<Item = &'c Change>,
        lane: Lane,
    ) -> Result<Option<Changed>, HistoryError> {
        let (mut pieces, mut news) = (Vec::new(), false);
        for change in changes {
            match change {
                Change::Blocks { version, registration } => news |= self.settle_blocks(*version, registration)?,
                Change::Submission { id, submission } => {
                    pieces.extend(self.add((Kind::Submission, *id), to_json(submission)?, None, lane)?);
                }
                Change::Adjudication { id, adjudication } => {
                    let body = to_json(adjudication)?;
                    pieces.extend(self.add((Kind::Adjudication, *id), body, adjudication.seen, lane)?);
                }
            }
        }
        news |= !pieces.is_empty();
        Ok(news.then_some(Changed { history: self, pieces }))
    }

    /// Takes the blocks, unless it has them in a later version. Whether it did.
    fn settle_blocks(&mut self, version: i64, registration: &Registration) -> Result<bool, StoreError> {
        if version <= self.row.blocks_version {
            return Ok(false);
        }
        self.row.blocks_version = version;
        self.row.blocks = Some(to_json(registration)?);
        Ok(true)
    }

    /// Adds a piece; none when it is known.
    fn add(
        &mut self,
        (kind, id): (Kind, Uuid),
        body: Value,
        seen: Option<i64>,
        lane: Lane,
    ) -> Result<Option<pieces::Model>, Refusal> {
        if let Some(known) = self.pieces.iter().find(|piece| piece.id == id) {
            let same = known.kind == kind && known.body == body;
            return if same { Ok(None) } else { Err(Refusal::Contradiction { kind, id }) };
        }
        let most = match kind {
            Kind::Submission => MOST_SUBMISSIONS,
            Kind::Adjudication => MOST_ADJUDICATIONS,
        };
        if self.of_kind(kind).count() >= most {
            return Err(Refusal::Full { kind, most });
        }
        let imported = lane == Lane::Bulk;
        let (episode_id, revision) = (self.row.id, self.row.revision + 1);
        let piece = pieces::Model { episode_id, id, kind, revision, seen, imported, body };
        self.pieces.push(piece.clone());
        Ok(Some(piece))
    }

    /// The record, once the episode itself and a submission are there.
    pub(crate) fn record(&self) -> Result<Option<Record>, StoreError> {
        let bodies = |kind| self.of_kind(kind).map(|piece| &piece.body).collect::<Vec<&Value>>();
        let (Some(blocks), submissions) = (&self.row.blocks, bodies(Kind::Submission)) else { return Ok(None) };
        if submissions.is_empty() {
            return Ok(None);
        }
        let record = json!({
            "format": "lasegue.record/1",
            "patient": blocks["patient"],
            "episode": blocks["episode"],
            "submissions": submissions,
            "adjudications": bodies(Kind::Adjudication),
        });
        let mut record = Record::parse_kept(&record).map_err(|faults| StoreError::Corrupt {
            service: Service::Assessment,
            what: format!("the record of episode {}, at {:?}", self.row.id, faults.first().map(|fault| &fault.pointer)),
        })?;
        self.date(&mut record);
        Ok(Some(record))
    }

    /// Says of each piece of the record when it came into it, or what its signer can have seen.
    fn date(&self, record: &mut Record) {
        for (submission, piece) in record.submissions.iter_mut().zip(self.of_kind(Kind::Submission)) {
            submission.revision = piece.revision;
        }
        for (signed, piece) in record.adjudications.iter_mut().zip(self.of_kind(Kind::Adjudication)) {
            signed.seen = piece.seen();
        }
    }

    /// Whether every submission came with an import.
    pub(crate) fn is_imported(&self) -> bool {
        self.of_kind(Kind::Submission).all(|piece| piece.imported)
    }

    /// The submissions that came live.
    pub(crate) fn live(&self) -> HashSet<SubmissionId> {
        let live = self.of_kind(Kind::Submission).filter(|piece| !piece.imported);
        live.map(|piece| SubmissionId(piece.id.to_string())).collect()
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &pieces::Model> {
        self.pieces.iter().filter(move |piece| piece.kind == kind)
    }
}

/// Why a change could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    /// It never can.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests;
