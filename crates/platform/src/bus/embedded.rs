//! The bus inside one process: a queue for each durable consumer. Publishing resolves when all of them have acked, so
//! the sender's outbox row outlives the process until then.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future;
use lasegue_contracts::Envelope;
use lasegue_contracts::topology::{CONSUMERS, Consumer};
use tokio::sync::{Notify, oneshot};

use super::{Answer, Bus, BusError, Deliveries, Delivery, Handled, Joined, Message};
use crate::clock::SharedClock;

/// How long a delivery that was dropped without an answer waits before it comes again.
const AFTER_DROP: Duration = Duration::from_millis(100);

/// The bus inside one process, cheap to clone. Its limit is that of the outboxes' relays: they hold back the rest.
#[derive(Clone, Debug)]
pub struct EmbeddedBus {
    queues: Arc<HashMap<&'static str, Arc<Queue>>>,
    clock: SharedClock,
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
    done: oneshot::Sender<()>,
}

impl EmbeddedBus {
    /// A bus with a queue for every consumer of the topology.
    pub fn new(clock: SharedClock) -> Self {
        let queues = CONSUMERS.iter().map(|consumer| (consumer.name, Arc::default())).collect();
        Self { queues: Arc::new(queues), clock }
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
        let acks =
            takers.map(|consumer| Ok(self.queue(consumer)?.push(envelope))).collect::<Result<Vec<_>, BusError>>()?;
        future::try_join_all(acks).await.map(|_| None).map_err(|_| BusError::Closed)
    }

    async fn subscribe(&self, consumer: &'static Consumer, _: Option<Handled>) -> Result<Joined, BusError> {
        let subscription = Subscription { queue: self.queue(consumer)?.clone(), clock: self.clock.clone() };
        Ok(Joined { deliveries: Box::new(subscription), anew: false })
    }

    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError> {
        Ok(self.queue(consumer)?.lock().unanswered)
    }
}

impl Queue {
    fn push(&self, envelope: &Envelope) -> oneshot::Receiver<()> {
        let (done, acked) = oneshot::channel();
        self.lock().unanswered += 1;
        self.put(Item { message: envelope.into(), attempt: 1, done });
        acked
    }

    fn put(&self, item: Item) {
        self.lock().waiting.push_back(item);
        self.arrived.notify_one();
    }

    fn take(&self) -> Option<Item> {
        let mut state = self.lock();
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
