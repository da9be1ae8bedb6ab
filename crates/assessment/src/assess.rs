//! One event: read the record, add what the event brings, evaluate, commit if nobody else was faster.

use async_trait::async_trait;
use lasegue_contracts::Envelope;
use lasegue_contracts::event::Lane;
use lasegue_platform::consume::{Handler, HandlerError};
use lasegue_platform::store::{Store, StoreError, Unit, retry_conflicts};
use lasegue_protocol::Assessment;
use lasegue_protocol::record::Record;
use uuid::Uuid;

use crate::history::{Change, Changed, History, HistoryError};
use crate::messages::{self, Told};
use crate::protocols::Protocols;
use crate::store::{episodes, pieces, protocols, results, to_json};
use crate::verdict;

/// Takes the events of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct Assessor {
    store: Store,
    consumer: &'static str,
    lane: Lane,
    protocols: Protocols,
}

/// What a change makes of an episode, decided and not yet committed.
struct Decision {
    changed: Changed,
    /// None as long as the episode itself or a submission is missing.
    result: Option<(Record, Assessment)>,
    /// The hash of the protocol that was asked.
    protocol: String,
}

impl Assessor {
    pub(crate) fn new(store: Store, consumer: &'static str, lane: Lane) -> Self {
        Self { store, consumer, lane, protocols: Protocols::default() }
    }

    async fn take(&self, episode: Uuid, event: Uuid, change: &Change) -> Result<(), HandlerError> {
        let history = History::read(self.store.reader(), episode).await?;
        let decision = match history.with(change, self.lane)? {
            Some(changed) => Some(self.decide(changed).await?),
            None => None,
        };
        let (consumer, lane) = (self.consumer, self.lane);
        let committed: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    match decision {
                        Some(decision) if unit.first_time(consumer, event).await? => commit(unit, decision, lane).await,
                        Some(_) => Ok(()),
                        None => unit.first_time(consumer, event).await.map(drop),
                    }
                })
            })
            .await;
        Ok(committed?)
    }

    async fn decide(&self, changed: Changed) -> Result<Decision, StoreError> {
        let protocol = self.protocols.active(&self.store).await?;
        let record = changed.history.record()?;
        let result = record.and_then(|record| verdict::assess(&protocol, &record).map(|result| (record, result)));
        Ok(Decision { changed, result, protocol: protocol.reference().sha256.clone() })
    }
}

#[async_trait]
impl Handler for Assessor {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let (episode, change) = messages::change(envelope)?;
        retry_conflicts(|| self.take(episode, envelope.id, &change)).await
    }
}

async fn commit(unit: &mut Unit, decision: Decision, lane: Lane) -> Result<(), StoreError> {
    let Decision { changed: Changed { mut history, piece }, result, protocol } = decision;
    if protocols::hold_active(unit.db()).await?.as_ref() != Some(&protocol) {
        return Err(StoreError::Conflict);
    }
    let was_flagged = history.row.flagged;
    if let Some((_, assessment)) = &result {
        history.row.flagged = assessment.findings.iter().any(verdict::is_red_flag);
        history.row.protocol = Some(protocol);
    }
    episodes::move_on(unit, history.row.clone()).await?;
    if let Some(piece) = piece {
        pieces::keep(unit.db(), piece).await?;
    }
    match result {
        Some((record, assessment)) => tell(unit, &history, (&record, &assessment), was_flagged, lane).await,
        None => Ok(()),
    }
}

/// Keeps a result and publishes it, the red flags first. Those of the revision before are told of once more, so that
/// their absence is told too.
async fn tell(
    unit: &mut Unit,
    history: &History,
    (record, assessment): (&Record, &Assessment),
    was_flagged: bool,
    lane: Lane,
) -> Result<(), StoreError> {
    let (episode, revision) = (history.row.id, history.row.revision + 1);
    let row = results::Model {
        episode_id: episode,
        revision,
        protocol_sha256: assessment.protocol.sha256.clone(),
        body: to_json(assessment)?,
        created_at: unit.now(),
    };
    results::keep(unit.db(), row).await?;
    let bulk = lane == Lane::Bulk || history.is_imported(&assessment.visit);
    let told = Told { episode, revision, record, assessment, bulk };
    if history.row.flagged || was_flagged {
        let lane = messages::red_flag_lane(lane, assessment, unit.now());
        unit.publish(lane, episode, &told.red_flags()).await?;
    }
    unit.publish(lane, episode, &told.completed()).await
}

impl From<HistoryError> for HandlerError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Refused(refusal) => Self::give_up(refusal),
            HistoryError::Store(error) => error.into(),
        }
    }
}
