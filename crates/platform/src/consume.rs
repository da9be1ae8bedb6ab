//! The one layer of ack, retry and dead-letter around every handler. A handler only says what became of an event.
//!
//! Within a process the events about one episode are handled one at a time, and those that wait meanwhile together. Groups
//! take turns: the many events of one hold no place that another needs.

pub(crate) mod letters;
mod memory;
mod places;
mod replay;
mod turns;
mod work;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lasegue_contracts::topology::Consumer;
use lasegue_contracts::{Envelope, EnvelopeError, event};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::memory::Remembered;
pub(crate) use self::places::Places;
pub(crate) use self::replay::Replays;
use self::work::Work;
pub use self::work::caught;
use crate::bus::{Bus, BusError, Deliveries, Joined, Message};
use crate::chain;
use crate::store::{Store, StoreError, inbox};
use crate::telemetry::TraceContext;

/// Why an event could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// It may go better later: deliver it again.
    #[error("the event could not be handled yet")]
    Retry(#[source] Box<dyn Error + Send + Sync>),
    /// It never will: set it aside and tell an operator.
    #[error("the event cannot be understood")]
    GiveUp(#[source] Box<dyn Error + Send + Sync>),
}

impl HandlerError {
    /// An error worth another try.
    pub fn retry(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(source.into())
    }

    /// An error that no further try mends.
    pub fn give_up(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::GiveUp(source.into())
    }

    /// The error with all its causes, for one log line.
    pub fn chain(&self) -> String {
        chain(self)
    }
}

impl From<StoreError> for HandlerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::EventTooLarge { .. } => Self::give_up(error),
            _ => Self::retry(error),
        }
    }
}

impl From<sea_orm::DbErr> for HandlerError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::retry(error)
    }
}

impl From<EnvelopeError> for HandlerError {
    fn from(error: EnvelopeError) -> Self {
        Self::give_up(error)
    }
}

impl crate::store::AsStoreError for HandlerError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Retry(source) => source.downcast_ref(),
            Self::GiveUp(_) => None,
        }
    }
}

/// What a service does with the events of one consumer.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles one event in a commit that first asks [`crate::store::Unit::first_time`].
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError>;

    /// Handles events of one group that waited together, in their order. When it fails, each of them is handled alone; so
    /// it may do all of them, or none, or some whose effects a repetition does not change.
    async fn handle_together(&self, envelopes: &[Envelope]) -> Result<(), HandlerError> {
        for envelope in envelopes {
            TraceContext::parse_or_new(&envelope.trace_parent).scope(self.handle(envelope)).await?;
        }
        Ok(())
    }

    /// What must be handled one at a time: the episode, unless the handler changes something else.
    fn group(&self, message: &Message) -> Option<Uuid> {
        event::episode_of_subject(&message.subject)
    }

    /// Called when a message was set aside, in addition to the dead letter. Most consumers need nothing more.
    async fn set_aside(&self, _message: &Message, _dead_letter: Uuid) -> Result<(), HandlerError> {
        Ok(())
    }
}

/// The first wait before an event is delivered again; it doubles with each try.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest such wait.
const LAST_RETRY: Duration = Duration::from_secs(30);
/// How soon an event that was taken but not begun comes again, to another replica or to a successor.
const GIVEN_BACK: Duration = Duration::from_millis(100);
/// How often the bus is told that an event is under way still: often enough that it gives it to nobody else.
const REPORT_EVERY: Duration = Duration::from_millis(1_500);
/// How long to wait before joining a consumer again.
const REJOIN: Duration = Duration::from_secs(1);
/// Events taken from the bus and not answered, those that wait for their turn among them.
const HELD: usize = 1_024;
/// How many unanswered messages make an operator's alarm line in the log.
const LAG_ALARM: u64 = 10_000;
/// How often the lag is measured.
const LAG_EVERY: Duration = Duration::from_secs(10);

/// Why a durable could not be joined. Trying again may help.
#[derive(Debug, thiserror::Error)]
enum JoinError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A consumer at work: a handler, joined to the bus.
pub struct Consuming {
    /// Which durable.
    pub consumer: &'static Consumer,
    /// What is done with its events.
    pub handler: Arc<dyn Handler>,
    /// Where dead letters are kept.
    pub store: Store,
    /// Where events come from.
    pub bus: Arc<dyn Bus>,
}

impl fmt::Debug for Consuming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consuming").field("consumer", &self.consumer.name).finish_non_exhaustive()
    }
}

impl Consuming {
    /// Takes and handles events until `stop`, then waits for those under way and gives back those not begun.
    pub async fn run(self, stop: CancellationToken) {
        let work = Arc::new(Work::new(self, stop.clone()));
        work.consuming.store.replays().begin(work.consuming.consumer.name, &work);
        let memory = Arc::new(Remembered::new(work.consuming.consumer.name, work.consuming.store.clone()));
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work.consuming.watch_lag() => {}
                () = work.consuming.answer(&memory, &stop) => {}
                result = take(&work) => {
                    if let Err(error) = result {
                        let consumer = work.consuming.consumer.name;
                        tracing::warn!(consumer, error = chain(&error), "the consumer lost the bus and joins again");
                    }
                    work.consuming.store.clock().sleep(REJOIN).await;
                }
            }
        }
        work.finished().await;
    }

    /// Answers those who ask what was handled, until `stop`.
    async fn answer(&self, memory: &Arc<Remembered>, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let answering = self.bus.answer(self.consumer, memory.clone(), stop.clone()).await;
            if let Err(error) = answering {
                let consumer = self.consumer.name;
                tracing::warn!(
                    consumer,
                    error = chain(&error),
                    "what was handled could not be told: the senders ask again"
                );
                self.store.clock().sleep(REJOIN).await;
            }
        }
    }

    /// Joins the durable, and shows the bus what was handled last.
    async fn join(&self) -> Result<Box<dyn Deliveries>, JoinError> {
        let last = inbox::last_handled(self.store.reader(), self.consumer.name).await.map_err(StoreError::from)?;
        let Joined { deliveries, anew } = self.bus.subscribe(self.consumer, last).await?;
        if anew && last.is_some() {
            let name = self.consumer.name;
            let forgotten: Result<(), StoreError> = self
                .store
                .commit(move |unit| Box::pin(async move { Ok(inbox::forget_places(unit.db(), name).await?) }))
                .await;
            forgotten?;
        }
        Ok(deliveries)
    }

    async fn watch_lag(&self) {
        loop {
            self.store.clock().sleep(LAG_EVERY).await;
            let Ok(lag) = self.bus.lag(self.consumer).await else {
                continue;
            };
            metrics::gauge!("bus_lag", "consumer" => self.consumer.name).set(u32::try_from(lag).unwrap_or(u32::MAX));
            if lag > LAG_ALARM {
                tracing::error!(
                    consumer = self.consumer.name,
                    lag,
                    "the consumer falls behind: add replicas or look for what slows it"
                );
            }
        }
    }
}

/// Takes events as long as there is room for them.
async fn take(work: &Arc<Work>) -> Result<(), JoinError> {
    let mut deliveries = work.consuming.join().await?;
    loop {
        let room = work.room().await;
        let Some(delivery) = deliveries.next().await else {
            return Ok(());
        };
        work.take_up(delivery, room);
    }
}

fn retry_delay(attempt: u32) -> Duration {
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let waits: Vec<_> =
            [1, 2, 3, 9, 10, u32::MAX].into_iter().map(|attempt| retry_delay(attempt).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 25_600, 30_000, 30_000]);
    }

    #[test]
    fn what_follows_is_too_large_for_ever_and_everything_else_of_the_store_may_pass() {
        let too_large = StoreError::EventTooLarge { event: "red-flag-raised", bytes: 2, most: 1 };
        assert!(matches!(too_large.into(), HandlerError::GiveUp(_)));
        assert!(matches!(StoreError::Conflict.into(), HandlerError::Retry(_)));
    }

    #[test]
    fn an_error_shows_all_its_causes_in_one_line() {
        let error = HandlerError::from(StoreError::Database(sea_orm::DbErr::Custom("disk full".to_owned())));
        assert_eq!(
            error.chain(),
            "the event could not be handled yet: the database could not carry out a statement: Custom Error: disk full"
        );
    }
}
