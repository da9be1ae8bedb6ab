//! The one layer of ack, retry and dead-letter around every handler. A handler only says what became of an event.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use lasegue_contracts::topology::Consumer;
use lasegue_contracts::{Envelope, EnvelopeError, event, platform};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::bus::{Answer, Bus, BusError, Deliveries, Delivery, Joined, Message};
use crate::chain;
use crate::store::{Store, StoreError, dead_letters, inbox};
use crate::telemetry::TraceContext;
use crate::wire;

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
        Self::retry(error)
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

    /// Called once when a message was set aside, in addition to the dead letter. Most consumers need nothing more.
    async fn set_aside(&self, _message: &Message, _dead_letter: Uuid) -> Result<(), HandlerError> {
        Ok(())
    }
}

/// The first wait before an event is delivered again; it doubles with each try.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest such wait.
const LAST_RETRY: Duration = Duration::from_secs(30);
/// How often the bus is told that an event is under way still: often enough that it gives it to nobody else.
const REPORT_EVERY: Duration = Duration::from_millis(1_500);
/// How long to wait before joining a consumer again.
const REJOIN: Duration = Duration::from_secs(1);
/// How many unanswered messages make an operator's alarm line in the log.
const LAG_ALARM: u64 = 10_000;
/// How often the lag is measured.
const LAG_EVERY: Duration = Duration::from_secs(10);

tokio::task_local! {
    static PLACE: Option<u64>;
}

/// The place in its stream of the event that this task handles.
pub(crate) fn current_place() -> Option<u64> {
    PLACE.try_with(|place| *place).ok().flatten()
}

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
    /// Takes and handles events until `stop`, then waits for those under way.
    pub async fn run(self, stop: CancellationToken) {
        let this = Arc::new(self);
        let under_way = TaskTracker::new();
        let places = Arc::new(Semaphore::new(this.consumer.in_flight));
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = this.watch_lag() => {}
                result = this.take(&places, &under_way) => {
                    if let Err(error) = result {
                        tracing::warn!(consumer = this.consumer.name, %error, "the consumer lost the bus and joins again");
                    }
                    this.store.clock().sleep(REJOIN).await;
                }
            }
        }
        under_way.close();
        under_way.wait().await;
    }

    async fn take(self: &Arc<Self>, places: &Arc<Semaphore>, under_way: &TaskTracker) -> Result<(), JoinError> {
        let mut deliveries = self.join().await?;
        loop {
            let Ok(place) = places.clone().acquire_owned().await else {
                return Ok(());
            };
            let Some(delivery) = deliveries.next().await else {
                return Ok(());
            };
            let this = self.clone();
            under_way.spawn(async move {
                this.settle(delivery).await;
                drop(place);
            });
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

    async fn settle(&self, delivery: Delivery) {
        let Delivery { message, attempt, place, answer } = delivery;
        let handling = PLACE.scope(place, self.handle_and_report(&message, &*answer));
        let answered = match handling.await {
            Ok(()) => answer.ack().await,
            Err(HandlerError::GiveUp(reason)) => match self.set_aside(&message, &reason.to_string()).await {
                Ok(()) => answer.ack().await,
                Err(error) => self.again(&message, attempt, &error, answer).await,
            },
            Err(error) => self.again(&message, attempt, &error, answer).await,
        };
        if let Err(error) = answered {
            tracing::warn!(consumer = self.consumer.name, %error, "an answer did not reach the bus: the event comes again");
        }
    }

    /// Handles `message`, and tells the bus again and again that it is under way.
    async fn handle_and_report(&self, message: &Message, answer: &dyn Answer) -> Result<(), HandlerError> {
        let mut handling = std::pin::pin!(self.handle(message));
        loop {
            tokio::select! {
                biased;
                handled = &mut handling => return handled,
                () = self.store.clock().sleep(REPORT_EVERY) => {
                    if let Err(error) = answer.working().await {
                        tracing::warn!(consumer = self.consumer.name, %error, "the bus does not hear that an event is under way");
                    }
                }
            }
        }
    }

    async fn handle(&self, message: &Message) -> Result<(), HandlerError> {
        let envelope = message.envelope()?;
        let trace = TraceContext::parse_or_new(&envelope.trace_parent);
        let handling = std::panic::AssertUnwindSafe(self.handler.handle(&envelope)).catch_unwind();
        trace.scope(handling).await.unwrap_or_else(|_| Err(HandlerError::retry("the handler panicked")))
    }

    async fn again(
        &self,
        message: &Message,
        attempt: u32,
        error: &HandlerError,
        answer: Box<dyn Answer>,
    ) -> Result<(), BusError> {
        let delay = retry_delay(attempt);
        tracing::warn!(consumer = self.consumer.name, subject = message.subject, attempt, ?delay, error = %error.chain(), "an event is tried again");
        metrics::counter!("bus_retries_total", "consumer" => self.consumer.name).increment(1);
        answer.retry(delay).await
    }

    async fn set_aside(&self, message: &Message, reason: &str) -> Result<(), HandlerError> {
        tracing::error!(
            consumer = self.consumer.name,
            subject = message.subject,
            reason,
            "a message was set aside as a dead letter"
        );
        metrics::counter!("bus_dead_letters_total", "consumer" => self.consumer.name).increment(1);
        let (consumer, kept, reason) = (self.consumer.name, message.clone(), reason.to_owned());
        let dead_letter = self
            .store
            .commit::<_, StoreError, _>(move |unit| {
                Box::pin(async move {
                    let id = unit.id();
                    dead_letters::insert(unit.db(), id, consumer, &kept, &reason, unit.now()).await?;
                    let episode = event::episode_of_subject(&kept.subject);
                    let notice = notice(id, consumer, &kept, reason, episode, unit.now());
                    unit.publish(event::Lane::Live, episode.unwrap_or_default(), &notice).await?;
                    Ok(id)
                })
            })
            .await?;
        self.handler.set_aside(message, dead_letter).await
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

fn notice(
    id: Uuid,
    consumer: &str,
    message: &Message,
    reason: String,
    episode: Option<Uuid>,
    now: DateTime<Utc>,
) -> platform::MessageDeadLettered {
    let event_type = message.headers.iter().find(|(name, _)| name == lasegue_contracts::envelope::header::TYPE);
    platform::MessageDeadLettered {
        episode_id: episode.map(|id| id.to_string()).unwrap_or_default(),
        dead_letter_id: id.to_string(),
        consumer: consumer.to_owned(),
        subject: message.subject.clone(),
        event_type: event_type.map(|(_, value)| value.clone()).unwrap_or_default(),
        reason,
        at: Some(wire::timestamp(now)),
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
    fn an_error_shows_all_its_causes_in_one_line() {
        let error = HandlerError::from(StoreError::Database(sea_orm::DbErr::Custom("disk full".to_owned())));
        assert_eq!(
            error.chain(),
            "the event could not be handled yet: the database could not be read or written: Custom Error: disk full"
        );
    }
}
