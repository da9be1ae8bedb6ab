//! One event: read the record, add what the event brings, evaluate, commit; and again if somebody else was faster.

use async_trait::async_trait;
use lasegue_contracts::Envelope;
use lasegue_contracts::event::Lane;
use lasegue_platform::consume::{Handler, HandlerError};
use lasegue_platform::store::{Store, StoreError, retry_conflicts};
use uuid::Uuid;

use crate::cause::Cause;
use crate::evaluation;
use crate::history::{Change, History, HistoryError};
use crate::messages;
use crate::protocols::Protocols;

/// Takes the events of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct Assessor {
    store: Store,
    consumer: &'static str,
    lane: Lane,
    protocols: Protocols,
}

impl Assessor {
    pub(crate) const fn new(store: Store, consumer: &'static str, lane: Lane, protocols: Protocols) -> Self {
        Self { store, consumer, lane, protocols }
    }

    async fn take(&self, episode: Uuid, event: Uuid, change: &Change) -> Result<(), HandlerError> {
        let (consumer, lane) = (self.consumer, self.lane);
        let history = History::read(self.store.reader(), episode).await?;
        let with_change = |history: History| history.with(change, lane);
        let evaluation = evaluation::evaluate((&self.store, &self.protocols), history, with_change).await?;
        let committed: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    let first = unit.first_time(consumer, event).await?;
                    match evaluation {
                        Some(evaluation) if first => evaluation::commit(unit, evaluation, Cause::Event(lane)).await,
                        Some(_) | None => Ok(()),
                    }
                })
            })
            .await;
        Ok(committed?)
    }
}

#[async_trait]
impl Handler for Assessor {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let (episode, change) = messages::change(envelope)?;
        retry_conflicts(|| self.take(episode, envelope.id, &change)).await
    }
}

impl From<HistoryError> for HandlerError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Refused(refusal) => Self::give_up(refusal),
            HistoryError::Store(error) => error.into(),
        }
    }
}
