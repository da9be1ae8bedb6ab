//! An episode's record as it stands at a revision, put together from its pieces.

use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use lasegue_platform::store::StoreError;
use lasegue_protocol::record::{Adjudication, Record, Registration, Submission};
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

/// What a change makes of a record.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    /// The record with the change, its row not yet moved on.
    pub(crate) history: History,
    /// The piece to keep, unless the change is of the blocks.
    pub(crate) piece: Option<pieces::Model>,
}

impl Changed {
    /// Whether the change is a submission.
    pub(crate) fn brings_a_submission(&self) -> bool {
        self.piece.as_ref().is_some_and(|piece| piece.kind == Kind::Submission)
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

    /// The record with what an event brings; none when it knows that already.
    pub(crate) fn with(mut self, change: &Change, lane: Lane) -> Result<Option<Changed>, HistoryError> {
        let (kind, id, body) = match change {
            Change::Blocks { version, .. } if *version <= self.row.blocks_version => return Ok(None),
            Change::Blocks { version, registration } => {
                self.row.blocks_version = *version;
                self.row.blocks = Some(to_json(registration)?);
                return Ok(Some(Changed { history: self, piece: None }));
            }
            Change::Submission { id, submission } => (Kind::Submission, *id, to_json(submission)?),
            Change::Adjudication { id, adjudication } => (Kind::Adjudication, *id, to_json(adjudication)?),
        };
        if let Some(known) = self.pieces.iter().find(|piece| piece.id == id) {
            let same = known.kind == kind && known.body == body;
            return if same { Ok(None) } else { Err(Refusal::Contradiction { kind, id }.into()) };
        }
        let most = match kind {
            Kind::Submission => MOST_SUBMISSIONS,
            Kind::Adjudication => MOST_ADJUDICATIONS,
        };
        if self.of_kind(kind).count() >= most {
            return Err(Refusal::Full { kind, most }.into());
        }
        let imported = lane == Lane::Bulk;
        let piece =
            pieces::Model { episode_id: self.row.id, id, kind, revision: self.row.revision + 1, imported, body };
        self.pieces.push(piece.clone());
        Ok(Some(Changed { history: self, piece: Some(piece) }))
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
        Record::parse(&record).map(Some).map_err(|faults| StoreError::Corrupt {
            service: Service::Assessment,
            what: format!("the record of episode {}, at {:?}", self.row.id, faults.first().map(|fault| &fault.pointer)),
        })
    }

    /// Whether every submission came with an import.
    pub(crate) fn is_imported(&self) -> bool {
        self.of_kind(Kind::Submission).all(|piece| piece.imported)
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
