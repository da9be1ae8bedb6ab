//! The events of one episode that wait together: read the record, add what they bring, evaluate once, commit; and again if
//! somebody else was faster.

use std::slice;

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

    /// Takes what events of one episode bring, in one evaluation and one commit.
    async fn take(&self, episode: Uuid, events: &[Uuid], changes: &[Change]) -> Result<(), HandlerError> {
        let (consumer, lane, events) = (self.consumer, self.lane, events.to_vec());
        let history = History::read(self.store.reader(), episode).await?;
        let with_changes = |history: History| history.with(changes, lane);
        let mut evaluation = evaluation::evaluate((&self.store, &self.protocols), history, with_changes).await?;
        if let Some(evaluation) = &mut evaluation {
            evaluation::commit_ahead(&self.store, evaluation).await?;
        }
        let committed: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    let mut news = false;
                    for event in events {
                        news |= unit.first_time(consumer, event).await?;
                    }
                    match evaluation {
                        Some(evaluation) if news => evaluation::commit(unit, evaluation, Cause::Event(lane)).await,
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
        self.handle_together(slice::from_ref(envelope)).await
    }

    /// All of them, or none.
    async fn handle_together(&self, envelopes: &[Envelope]) -> Result<(), HandlerError> {
        let events: Vec<_> = envelopes.iter().map(|envelope| envelope.id).collect();
        let brought = envelopes.iter().map(messages::changes).collect::<Result<Vec<_>, _>>()?;
        let Some((episode, _)) = brought.first() else { return Ok(()) };
        let episode = *episode;
        if brought.iter().any(|(other, _)| *other != episode) {
            return Err(HandlerError::give_up("an event speaks of another episode than its subject"));
        }
        let changes: Vec<_> = brought.into_iter().flat_map(|(_, changes)| changes).collect();
        retry_conflicts(|| self.take(episode, &events, &changes)).await
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
