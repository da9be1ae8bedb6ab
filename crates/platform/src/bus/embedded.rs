//! The bus inside one process: a queue for each durable consumer. Publishing resolves when all of them have acked, so
//! the sender's outbox row outlives the process until then.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future;
use lasegue_contracts::topology::{CONSUMERS, Consumer};
use lasegue_contracts::{Envelope, Service};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Answer, Bus, BusError, Deliveries, Delivery, Handled, Joined, Memory, Message, Proof};
use crate::clock::SharedClock;
use crate::direct::HandOverError;

/// How long an event that is handed over may take until what follows is committed.
const WITHIN: Duration = Duration::from_secs(8);
/// How long a delivery that was dropped without an answer waits before it comes again.
const AFTER_DROP: Duration = Duration::from_millis(100);

/// The bus inside one process, cheap to clone. Its limit is that of the outboxes' relays: they hold back the rest.
#[derive(Clone, Debug)]
pub struct EmbeddedBus {
    queues: Arc<HashMap<&'static str, Arc<Queue>>>,
    memories: Memories,
    clock: SharedClock,
}

/// Who answers for each reader.
#[derive(Clone, Default)]
struct Memories(Arc<Mutex<HashMap<&'static str, Arc<dyn Memory>>>>);

impl Memories {
    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Arc<dyn Memory>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().keys()).finish()
    }
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Item>,
    /// Waiting, under way or delayed.
    unanswered: u64,
}

#[derive(Debug)]
struct Item {
    message: Message,
    attempt: u32,
    /// It does not come again: whoever waits for it hands it over again.
    once: bool,
    done: oneshot::Sender<()>,
}

impl EmbeddedBus {
    /// A bus with a queue for every consumer of the topology.
    pub fn new(clock: SharedClock) -> Self {
        let queues = CONSUMERS.iter().map(|consumer| (consumer.name, Arc::default())).collect();
        Self { queues: Arc::new(queues), memories: Memories::default(), clock }
    }

    fn queue(&self, consumer: &Consumer) -> Result<&Arc<Queue>, BusError> {
        self.queues
            .get(consumer.name)
            .ok_or_else(|| BusError::Refused(format!("there is no consumer {}", consumer.name)))
    }
}

#[async_trait]
impl Bus for EmbeddedBus {
    async fn publish(&self, envelope: &Envelope) -> Result<Option<u64>, BusError> {
        let takers = CONSUMERS.iter().filter(|consumer| consumer.takes(&envelope.subject));
        let acks = takers
            .map(|consumer| Ok(self.queue(consumer)?.push(envelope, false)))
            .collect::<Result<Vec<_>, BusError>>()?;
        future::try_join_all(acks).await.map(|_| None).map_err(|_| BusError::Closed)
    }

    async fn hand_over(&self, consumer: &'static Consumer, envelope: &Envelope) -> Result<(), HandOverError> {
        let not_handled = |reason: &str| HandOverError::NotHandled(reason.to_owned());
        let queue = self.queue(consumer).map_err(|error| not_handled(&crate::chain(&error)))?;
        tokio::select! {
            done = queue.push(envelope, true) => done.map_err(|_| not_handled("its handler failed")),
            () = self.clock.sleep(WITHIN) => Err(not_handled("it takes too long")),
        }
    }

    async fn subscribe(&self, consumer: &'static Consumer, _: Option<Handled>) -> Result<Joined, BusError> {
        let subscription = Subscription { queue: self.queue(consumer)?.clone(), clock: self.clock.clone() };
        Ok(Joined { deliveries: Box::new(subscription), anew: false })
    }

    async fn prove(&self, _: Service, consumer: &'static Consumer, events: &[Uuid]) -> Result<Proof, BusError> {
        let memory = self.memories.lock().get(consumer.name).cloned().ok_or(BusError::Closed)?;
        let handled = memory.handled(events).await?.into_iter().collect();
        Ok(Proof { reader: memory.id(), handled, passed: u64::MAX })
    }

    async fn answer(
        &self,
        consumer: &'static Consumer,
        memory: Arc<dyn Memory>,
        stop: CancellationToken,
    ) -> Result<(), BusError> {
        self.memories.lock().insert(consumer.name, memory);
        stop.cancelled().await;
        Ok(())
    }

    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError> {
        Ok(self.queue(consumer)?.lock().unanswered)
    }
}

impl Item {
    /// Nobody waits any more for what was to be handled once.
    fn is_given_up(&self) -> bool {
        self.once && self.done.is_closed()
    }
}

impl Queue {
    fn push(&self, envelope: &Envelope, once: bool) -> oneshot::Receiver<()> {
        let (done, acked) = oneshot::channel();
        self.lock().unanswered += 1;
        self.put(Item { message: envelope.into(), attempt: 1, once, done });
        acked
    }

    fn put(&self, item: Item) {
        self.lock().waiting.push_back(item);
        self.arrived.notify_one();
    }

    fn take(&self) -> Option<Item> {
        let mut state = self.lock();
        while state.waiting.front().is_some_and(Item::is_given_up) {
            state.waiting.pop_front();
            state.unanswered -= 1;
        }
        let item = state.waiting.pop_front();
        if !state.waiting.is_empty() {
            self.arrived.notify_one();
        }
        item
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Subscription {
    queue: Arc<Queue>,
    clock: SharedClock,
}

#[async_trait]
impl Deliveries for Subscription {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            if let Some(item) = self.queue.take() {
                let (message, attempt) = (item.message.clone(), item.attempt);
                let answer = Pending { item: Some(item), queue: self.queue.clone(), clock: self.clock.clone() };
                return Some(Delivery { message, attempt, place: None, answer: Box::new(answer) });
            }
            self.queue.arrived.notified().await;
        }
    }
}

/// A delivery that waits for its answer.
struct Pending {
    item: Option<Item>,
    queue: Arc<Queue>,
    clock: SharedClock,
}

impl Pending {
    fn again(&mut self, delay: Duration) {
        let Some(mut item) = self.item.take() else {
            return;
        };
        if item.once {
            self.queue.lock().unanswered -= 1;
            return;
        }
        item.attempt = item.attempt.saturating_add(1);
        let (queue, clock) = (self.queue.clone(), self.clock.clone());
        // Without a runtime the process is ending, and the outbox keeps the event.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                clock.sleep(delay).await;
                queue.put(item);
            });
        }
    }
}

#[async_trait]
impl Answer for Pending {
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        if let Some(item) = self.item.take() {
            self.queue.lock().unanswered -= 1;
            // A publisher that stopped waiting finds the row in its outbox and publishes again; the inbox drops that.
            let _ = item.done.send(());
        }
        Ok(())
    }

    async fn refuse(self: Box<Self>) -> Result<(), BusError> {
        self.ack().await
    }

    async fn retry(mut self: Box<Self>, delay: Duration) -> Result<(), BusError> {
        self.again(delay);
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.again(AFTER_DROP);
    }
}
