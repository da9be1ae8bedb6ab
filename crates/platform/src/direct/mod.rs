//! The second way for what is live: straight to its reader over HTTP, when the queue does not take it.
//!
//! The queue stays the usual way. What it does not take within seconds is handed to a replica of the service that reads
//! it, on an address for services only, into the same consumer: the same inbox, the same turns, so twice is once. The
//! call is answered after the commit of the effects, and each side proves its name with a secret of this pair of services.

mod by_hand;
mod doors;
mod handed;
mod peers;
mod proof;
mod replicas;
mod server;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lasegue_contracts::topology::{CONSUMERS, Consumer, Stream};
use lasegue_contracts::{Envelope, Service};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::by_hand::ByHand;
use self::doors::Doors;
pub use self::peers::Peers;
pub use self::server::DirectServer;
use crate::bus::{Bus, BusError, Compared, Handled, Holding, Joined, Memory, Message, Proof};
use crate::clock::SharedClock;
use crate::signed::Forged;

/// How long the queue has for a join before the consumer takes meanwhile what is handed to it.
const JOIN_WITHIN: Duration = Duration::from_secs(1);
/// How long a consumer that could not join the queue takes only what is handed to it, before it tries again.
const APART: Duration = Duration::from_secs(2);

/// Why an event did not reach its reader directly. Trying again may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    /// The reader runs, but could not handle the event now.
    #[error("the reader has not handled it: {0}")]
    NotHandled(String),
    /// Nobody answered.
    #[error("{service} does not answer on its direct address: {reason}")]
    Away {
        /// Who.
        service: Service,
        /// What was met.
        reason: String,
    },
    /// Somebody answered who does not know the secret of this pair of services.
    #[error(
        "what answers on {service}'s direct address does not prove to be {service}: compare the addresses under [direct] and the secrets"
    )]
    Stranger {
        /// Who was asked.
        service: Service,
    },
}

/// A way for what is live beside the transport.
#[async_trait]
pub trait SecondWay: Send + Sync + fmt::Debug {
    /// Whether the transport is known to be away from `service`, so that there is no use in waiting for it.
    fn is_needed(&self, service: Service) -> bool;

    /// Resolves once the one reader of the event, `consumer`, has committed what follows from it.
    async fn hand_over(&self, consumer: &'static Consumer, envelope: &Envelope) -> Result<(), HandOverError>;
}

/// The consumers that must hear of what `sender` sends live, whatever becomes of the transport.
pub fn live_consumers(sender: Service) -> impl Iterator<Item = &'static Consumer> {
    CONSUMERS.iter().copied().filter(move |consumer| {
        let live = consumer.filters.iter().all(|filter| filter.split('.').nth(3) != Some("bulk"));
        live && consumer.stream.owner.is_none_or(|owner| owner == sender)
    })
}

/// A queue, with the second way beside it.
#[derive(Debug)]
pub struct TwoWays {
    queue: Arc<dyn Bus>,
    ways: Arc<Ways>,
    clock: SharedClock,
}

#[derive(Debug)]
struct Ways {
    queue: Arc<dyn Bus>,
    doors: Arc<Doors>,
    peers: Peers,
}

impl TwoWays {
    /// `queue`, and the way to `peers` and from them.
    pub fn new(queue: Arc<dyn Bus>, peers: Peers, clock: SharedClock) -> Self {
        let doors = Arc::new(Doors::new(clock.clone()));
        let ways = Arc::new(Ways { queue: queue.clone(), doors, peers });
        Self { queue, ways, clock }
    }

    /// What takes in here that which peers hand over.
    pub fn server(&self) -> DirectServer {
        DirectServer::new(self.ways.peers.clone(), self.ways.doors.clone(), self.clock.clone())
    }

    /// Joins the queue, in a task that goes on when nobody waits for it any more.
    async fn joined(&self, consumer: &'static Consumer, last: Option<Handled>) -> Result<ByHand, BusError> {
        let door = self.ways.doors.open(consumer).await;
        let queue = self.queue.clone();
        let mut joining = tokio::spawn(async move { queue.subscribe(consumer, last).await });
        let joined = tokio::select! {
            joined = &mut joining => joined,
            () = self.clock.sleep(JOIN_WITHIN) => return Ok(ByHand::until_joined(door, joining)),
        };
        match joined.unwrap_or(Err(BusError::Closed)) {
            Ok(joined) => Ok(ByHand::beside(door, joined)),
            Err(error) => {
                tracing::warn!(
                    consumer = consumer.name,
                    error = crate::chain(&error),
                    "the queue cannot be joined: what is handed over directly is taken meanwhile"
                );
                let clock = self.clock.clone();
                Ok(ByHand::for_now(door, Box::pin(async move { clock.sleep(APART).await })))
            }
        }
    }
}

#[async_trait]
impl Bus for TwoWays {
    async fn publish(&self, envelope: &Envelope) -> Result<Option<u64>, BusError> {
        self.queue.publish(envelope).await
    }

    async fn publish_again(&self, envelope: &Envelope, copy: i64) -> Result<Option<u64>, BusError> {
        self.queue.publish_again(envelope, copy).await
    }

    fn sign(&self, envelope: &Envelope) -> Result<Message, BusError> {
        self.queue.sign(envelope)
    }

    fn verify(&self, consumer: &Consumer, message: &Message) -> Result<(), Forged> {
        self.queue.verify(consumer, message)
    }

    fn compared(&self, service: Service) -> Vec<Compared> {
        self.queue.compared(service)
    }

    async fn prove(&self, sender: Service, consumer: &'static Consumer, events: &[Uuid]) -> Result<Proof, BusError> {
        self.queue.prove(sender, consumer, events).await
    }

    async fn answer(
        &self,
        consumer: &'static Consumer,
        memory: Arc<dyn Memory>,
        stop: CancellationToken,
    ) -> Result<(), BusError> {
        self.queue.answer(consumer, memory, stop).await
    }

    async fn subscribe(&self, consumer: &'static Consumer, last: Option<Handled>) -> Result<Joined, BusError> {
        let by_hand = match self.ways.doors.take_joined(consumer) {
            Some(joined) => ByHand::beside(self.ways.doors.open(consumer).await, joined),
            None => self.joined(consumer, last).await?,
        };
        Ok(by_hand.into_joined())
    }

    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError> {
        self.queue.lag(consumer).await
    }

    fn is_away(&self, service: Service) -> bool {
        self.queue.is_away(service)
    }

    fn second_way(&self) -> Option<Arc<dyn SecondWay>> {
        Some(self.ways.clone())
    }

    async fn hand_over(&self, consumer: &'static Consumer, envelope: &Envelope) -> Result<(), HandOverError> {
        self.ways.hand_over(consumer, envelope).await
    }

    fn connected(&self, service: Service) -> Option<watch::Receiver<u64>> {
        self.queue.connected(service)
    }

    async fn holding(
        &self,
        service: Service,
        stream: &'static Stream,
        last: Option<Handled>,
    ) -> Result<Option<Holding>, BusError> {
        self.queue.holding(service, stream, last).await
    }

    async fn close(&self) {
        self.queue.close().await;
    }
}

#[async_trait]
impl SecondWay for Ways {
    fn is_needed(&self, service: Service) -> bool {
        self.queue.is_away(service)
    }

    async fn hand_over(&self, consumer: &'static Consumer, envelope: &Envelope) -> Result<(), HandOverError> {
        let message = self.queue.sign(envelope).map_err(|error| HandOverError::NotHandled(crate::chain(&error)))?;
        if self.doors.has(consumer) {
            return self.doors.enter(consumer, message).await;
        }
        self.peers.hand_over(consumer, &envelope.source, message).await
    }
}
