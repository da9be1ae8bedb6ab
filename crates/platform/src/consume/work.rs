//! The events of one consumer that are under way, from their delivery to their answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use lasegue_contracts::event::Lane;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::letters::TELL_AFTER;
use super::places::Places;
use super::turns::{Turns, Waiting};
use super::{Consuming, GIVEN_BACK, HELD, HandlerError, REPORT_EVERY, retry_delay};
use crate::background;
use crate::bus::{Answer, BusError, Delivery, Message};
use crate::signed::Forged;
use crate::telemetry::TraceContext;

/// Failures one after the other, without a success among them, after which a group is put off: what fails is not the event.
const FAILURES: usize = 3;

/// What one consumer of this process has taken from the bus.
pub(super) struct Work {
    pub(super) consuming: Consuming,
    turns: Turns,
    /// Room for what was taken, waiting or not.
    held: Arc<Semaphore>,
    /// Groups at work side by side.
    places: Arc<Semaphore>,
    under_way: TaskTracker,
    /// Where events are handled.
    threads: Handle,
    stop: CancellationToken,
}

/// Room for an event that was taken; none once nothing is taken any more.
pub(super) type Room = Option<OwnedSemaphorePermit>;

impl Work {
    pub(super) fn new(consuming: Consuming, stop: CancellationToken) -> Self {
        Self {
            turns: Turns::default(),
            held: Arc::new(Semaphore::new(HELD)),
            places: Arc::new(Semaphore::new(consuming.consumer.in_flight)),
            under_way: TaskTracker::new(),
            threads: match consuming.consumer.lane() {
                Lane::Live => Handle::current(),
                Lane::Bulk => background::handle(),
            },
            consuming,
            stop,
        }
    }

    /// Resolves when there is room for another event.
    pub(super) async fn room(&self) -> Room {
        self.held.clone().acquire_owned().await.ok()
    }

    /// Waits for what is under way; nothing more may be taken up.
    pub(super) async fn finished(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Lets a delivery be handled in its turn, and answers it then.
    pub(super) fn take_up(self: &Arc<Self>, delivery: Delivery, room: Room) {
        let this = self.clone();
        let settling = async move {
            this.settle(delivery).await;
            drop(room);
        };
        self.under_way.spawn_on(settling, &self.threads);
    }

    async fn settle(self: &Arc<Self>, delivery: Delivery) {
        let answered = match self.consuming.bus.verify(self.consuming.consumer, &delivery.message) {
            Ok(()) => self.settle_signed(delivery).await,
            Err(forged) => self.refuse(delivery, &forged).await,
        };
        if let Err(error) = answered {
            let consumer = self.consuming.consumer.name;
            tracing::warn!(
                consumer,
                error = crate::chain(&error),
                "an answer did not reach the bus: the event comes again"
            );
        }
    }

    async fn refuse(&self, delivery: Delivery, forged: &Forged) -> Result<(), BusError> {
        let Delivery { message, attempt, answer, .. } = delivery;
        match caught(self.consuming.refuse(&message, forged)).await {
            Ok(()) => answer.refuse().await,
            Err(error) => self.again(&message, attempt, &error, answer).await,
        }
    }

    async fn settle_signed(self: &Arc<Self>, delivery: Delivery) -> Result<(), BusError> {
        let Delivery { message, attempt, place, answer } = delivery;
        match self.in_turn(&message, place, &*answer).await {
            None => answer.retry(GIVEN_BACK).await,
            Some(Ok(())) => {
                if attempt > TELL_AFTER {
                    self.consuming.went_well(&message).await;
                }
                answer.ack().await
            }
            Some(Err(HandlerError::GiveUp(reason))) => {
                match caught(self.consuming.set_aside(&message, &HandlerError::GiveUp(reason))).await {
                    Ok(()) => answer.ack().await,
                    Err(error) => self.again(&message, attempt, &error, answer).await,
                }
            }
            Some(Err(error)) => self.again(&message, attempt, &error, answer).await,
        }
    }

    /// What became of a message once it had its turn; none when this process ends first. Meanwhile the bus is told again
    /// and again that it is under way.
    pub(super) async fn in_turn(
        self: &Arc<Self>,
        message: &Message,
        place: Option<u64>,
        answer: &dyn Answer,
    ) -> Option<Result<(), HandlerError>> {
        let envelope = match message.envelope() {
            Ok(envelope) => envelope,
            Err(error) => return Some(Err(error.into())),
        };
        let (settled, mut outcome) = oneshot::channel();
        let group = self.consuming.handler.group(message).unwrap_or(envelope.id);
        if self.turns.enter(group, Waiting { envelope, place, settled }) {
            let this = self.clone();
            self.under_way.spawn_on(async move { this.work_off(group).await }, &self.threads);
        }
        loop {
            tokio::select! {
                biased;
                outcome = &mut outcome => return outcome.ok(),
                () = self.consuming.store.clock().sleep(REPORT_EVERY) => {
                    if let Err(error) = answer.working().await {
                        let consumer = self.consuming.consumer.name;
                        tracing::warn!(consumer, error = crate::chain(&error), "the bus does not hear that an event is under way");
                    }
                }
            }
        }
    }

    /// Handles what waits of a group until nothing does. Between two goes its place is free for others.
    async fn work_off(&self, group: Uuid) {
        loop {
            let place = self.places.acquire().await;
            let waiting = self.turns.next(group);
            if waiting.is_empty() {
                return;
            }
            if self.stop.is_cancelled() {
                continue;
            }
            self.handle(waiting).await;
            drop(place);
        }
    }

    async fn handle(&self, waiting: Vec<Waiting>) {
        let places: Places = waiting.iter().filter_map(|event| Some((event.envelope.id, event.place?))).collect();
        places.scope(self.handle_in_place(waiting)).await;
    }

    async fn handle_in_place(&self, mut waiting: Vec<Waiting>) {
        if waiting.len() > 1 && self.handle_together(&waiting).await {
            return waiting.into_iter().for_each(|event| tell(event, Ok(())));
        }
        let (mut failures, mut successes) = (0, 0);
        for event in waiting.drain(..) {
            if failures >= FAILURES && successes == 0 {
                tell(event, Err(HandlerError::retry("what came before it failed, too")));
                continue;
            }
            let outcome = self.handle_alone(&event).await;
            match outcome {
                Err(HandlerError::Retry(_)) => failures += 1,
                Ok(()) | Err(HandlerError::GiveUp(_)) => successes += 1,
            }
            tell(event, outcome);
        }
    }

    /// False when each must be handled alone.
    async fn handle_together(&self, waiting: &[Waiting]) -> bool {
        let envelopes: Vec<_> = waiting.iter().map(|event| event.envelope.clone()).collect();
        let trace = TraceContext::parse_or_new(&envelopes[0].trace_parent);
        let outcome = trace.scope(caught(self.consuming.handler.handle_together(&envelopes))).await;
        if let Err(error) = &outcome {
            let (consumer, events) = (self.consuming.consumer.name, waiting.len());
            tracing::warn!(consumer, events, error = error.chain(), "events of one group are handled one by one");
        }
        outcome.is_ok()
    }

    async fn handle_alone(&self, event: &Waiting) -> Result<(), HandlerError> {
        let trace = TraceContext::parse_or_new(&event.envelope.trace_parent);
        trace.scope(caught(self.consuming.handler.handle(&event.envelope))).await
    }

    async fn again(
        &self,
        message: &Message,
        attempt: u32,
        error: &HandlerError,
        answer: Box<dyn Answer>,
    ) -> Result<(), BusError> {
        let (consumer, delay) = (self.consuming.consumer.name, retry_delay(attempt));
        let subject = &message.subject;
        tracing::warn!(consumer, subject, attempt, ?delay, error = error.chain(), "an event is tried again");
        metrics::counter!("bus_retries_total", "consumer" => consumer).increment(1);
        if attempt >= TELL_AFTER && self.consuming.is_given_up(message, error, attempt).await {
            return answer.ack().await;
        }
        answer.retry(delay).await
    }
}

/// What `work` comes to; a panic in it is an error that may pass.
///
/// # Errors
/// Those of `work`, and that it panicked.
pub async fn caught(work: impl Future<Output = Result<(), HandlerError>>) -> Result<(), HandlerError> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(HandlerError::retry("the handler panicked")))
}

/// Says what became of an event. Who waited for it may be gone: then it comes again.
fn tell(event: Waiting, outcome: Result<(), HandlerError>) {
    let _ = event.settled.send(outcome);
}
