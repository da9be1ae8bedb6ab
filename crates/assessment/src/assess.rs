//! One event: read the record, add what the event brings, evaluate, commit if nobody else was faster.

use async_trait::async_trait;
use lasegue_contracts::Envelope;
use lasegue_contracts::event::Lane;
use lasegue_platform::consume::{Handler, HandlerError};
use lasegue_platform::store::{Store, StoreError, Unit, retry_conflicts};
use lasegue_protocol::record::Record;
use lasegue_protocol::{Assessment, EvaluateError, evaluate};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::history::{Change, History};
use crate::messages;
use crate::protocols::Protocols;
use crate::store::{episodes, pieces, protocols, results};
use crate::telling;

/// The most pieces of one record. What comes beyond is set aside as a dead letter, and an operator is told.
const MOST_PIECES: usize = 5_000;

/// Takes the events of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct Assessor {
    store: Store,
    consumer: &'static str,
    lane: Lane,
    protocols: Protocols,
}

/// What an evaluation gave, ready to be committed.
struct Outcome {
    history: History,
    piece: Option<pieces::Model>,
    result: Option<(Record, Assessment)>,
    protocol: String,
}

impl Assessor {
    pub(crate) fn new(store: Store, consumer: &'static str, lane: Lane) -> Self {
        Self { store, consumer, lane, protocols: Protocols::default() }
    }

    async fn take(&self, episode: Uuid, event: Uuid, change: Change) -> Result<(), HandlerError> {
        let mut history = History::read(self.store.reader(), episode).await?;
        let piece = history.add(change);
        if history.len() > MOST_PIECES {
            return Err(HandlerError::give_up(format!("the record has more than {MOST_PIECES} pieces")));
        }
        let protocol = self.protocols.active(&self.store).await?;
        let result = match history.record()? {
            Some(record) => match evaluate(&protocol, &record, None) {
                Ok(assessment) => Some((record, assessment)),
                // Everything was voided: the last result and its alerts stand until they are signed.
                Err(EvaluateError::NothingToEvaluate) => None,
                Err(error) => return Err(HandlerError::give_up(error)),
            },
            None => None,
        };
        let outcome = Outcome { history, piece, result, protocol: protocol.reference().sha256.clone() };
        let (consumer, lane) = (self.consumer, self.lane);
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    if unit.first_time(consumer, event).await? {
                        commit(unit, outcome, lane).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

#[async_trait]
impl Handler for Assessor {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let (episode, change) = messages::change(envelope)?;
        retry_conflicts(|| self.take(episode, envelope.id, change.clone())).await
    }
}

async fn commit(unit: &mut Unit, outcome: Outcome, lane: Lane) -> Result<(), StoreError> {
    let Outcome { history, piece, result, protocol } = outcome;
    if protocols::active(unit.db()).await?.as_ref() != Some(&protocol) {
        return Err(StoreError::Conflict);
    }
    let flagged = result.as_ref().map_or(history.flagged, |(_, assessment)| telling::has_red_flag(assessment));
    let row = history.next_row(flagged);
    let revision = row.revision;
    if !episodes::replace(unit.db(), row, history.read).await? {
        return Err(StoreError::Conflict);
    }
    if let Some(piece) = piece {
        pieces::keep(unit.db(), piece).await?;
    }
    let Some((record, assessment)) = result else { return Ok(()) };
    keep_result(unit, history.episode, revision, &assessment).await?;
    if flagged || history.flagged {
        let event = telling::red_flags(history.episode, revision, &record, &assessment, lane);
        unit.publish(telling::red_flag_lane(lane, &assessment, unit.now()), history.episode, &event).await?;
    }
    let event = telling::completed(history.episode, revision, &record, &assessment);
    unit.publish(lane, history.episode, &event).await
}

async fn keep_result(unit: &Unit, episode: Uuid, revision: i64, assessment: &Assessment) -> Result<(), StoreError> {
    let row = results::ActiveModel {
        episode_id: Set(episode),
        revision: Set(revision),
        visit: Set(assessment.visit.0.parse().unwrap_or_default()),
        protocol_sha256: Set(assessment.protocol.sha256.clone()),
        body: Set(serde_json::to_value(assessment).unwrap_or_default()),
        created_at: Set(unit.now()),
    };
    results::Entity::insert(row).exec_without_returning(unit.db()).await?;
    Ok(())
}
