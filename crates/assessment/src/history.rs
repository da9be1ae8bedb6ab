//! An episode's record as it stands at a revision, put together from its pieces.

use lasegue_contracts::Service;
use lasegue_platform::store::StoreError;
use lasegue_protocol::record::{Adjudication, Record, Registration, Submission};
use sea_orm::ConnectionTrait;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::{episodes, pieces};

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

/// A record at a revision, with everything that belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) episode: Uuid,
    /// None before the first piece.
    pub(crate) read: Option<i64>,
    pub(crate) flagged: bool,
    blocks_version: i64,
    blocks: Option<Value>,
    pieces: Vec<pieces::Model>,
}

impl History {
    /// Reads what is known of `episode`.
    pub(crate) async fn read(db: &impl ConnectionTrait, episode: Uuid) -> Result<Self, StoreError> {
        let row = episodes::Entity::find_by_id(episode).one(db).await?;
        let pieces = pieces::of_episode(db, episode).await?;
        let (read, flagged) = (row.as_ref().map(|row| row.revision), row.as_ref().is_some_and(|row| row.flagged));
        let (blocks_version, blocks) = row.map_or((0, None), |row| (row.blocks_version, row.blocks));
        Ok(Self { episode, read, flagged, blocks_version, blocks, pieces })
    }

    /// How many pieces there are.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Adds what an event brings. The piece to keep, if it brings one that is new.
    pub(crate) fn add(&mut self, change: Change) -> Option<pieces::Model> {
        let (id, kind, body) = match change {
            Change::Blocks { version, registration } => {
                if version > self.blocks_version {
                    self.blocks_version = version;
                    self.blocks = Some(serde_json::to_value(registration).unwrap_or_default());
                }
                return None;
            }
            Change::Submission { id, submission } => (id, "submission", serde_json::to_value(submission)),
            Change::Adjudication { id, adjudication } => (id, "adjudication", serde_json::to_value(adjudication)),
        };
        if self.pieces.iter().any(|piece| piece.id == id) {
            return None;
        }
        let piece =
            pieces::Model { episode_id: self.episode, id, kind: kind.to_owned(), body: body.unwrap_or_default() };
        self.pieces.push(piece.clone());
        Some(piece)
    }

    /// The record, once the episode itself and a submission are there.
    pub(crate) fn record(&self) -> Result<Option<Record>, StoreError> {
        let Some(blocks) = &self.blocks else { return Ok(None) };
        let of_kind = |kind: &str| -> Vec<&Value> {
            self.pieces.iter().filter(|piece| piece.kind == kind).map(|piece| &piece.body).collect()
        };
        let submissions = of_kind("submission");
        if submissions.is_empty() {
            return Ok(None);
        }
        let record = json!({
            "format": "lasegue.record/1",
            "patient": blocks["patient"],
            "episode": blocks["episode"],
            "submissions": submissions,
            "adjudications": of_kind("adjudication"),
        });
        Record::parse(&record).map(Some).map_err(|faults| StoreError::Corrupt {
            service: Service::Assessment,
            what: format!("the record of episode {}: {:?}", self.episode, faults.first().map(ToString::to_string)),
        })
    }

    /// The row of this record one revision on.
    pub(crate) fn next_row(&self, flagged: bool) -> episodes::Model {
        episodes::Model {
            id: self.episode,
            revision: self.read.unwrap_or_default() + 1,
            blocks_version: self.blocks_version,
            blocks: self.blocks.clone(),
            flagged,
        }
    }
}
