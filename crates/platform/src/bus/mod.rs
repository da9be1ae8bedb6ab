//! The bus: carries events from an outbox to every durable consumer that takes them, at least once.
//!
//! A delivery is answered with ack, retry after a delay, or not at all (then it comes again). The bus keeps no truth:
//! what it loses is still in its sender's outbox.

mod embedded;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lasegue_contracts::topology::Consumer;
use lasegue_contracts::{Envelope, EnvelopeError};

pub use self::embedded::EmbeddedBus;

/// Why the bus could not do what was asked. Trying again may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Nobody can take the event now.
    #[error("the bus is closed")]
    Closed,
    /// The transport refused or did not answer.
    #[error("the bus did not take the event: {0}")]
    Refused(String),
}

/// Carries events.
#[async_trait]
pub trait Bus: Send + Sync + Debug {
    /// Resolves once the event needs its outbox no longer: embedded, when every consumer has acked it.
    async fn publish(&self, envelope: &Envelope) -> Result<(), BusError>;

    /// Joins the durable `consumer`; several may, and each message goes to one of them.
    async fn subscribe(&self, consumer: &'static Consumer) -> Result<Box<dyn Deliveries>, BusError>;

    /// How many messages of `consumer` wait or are under way.
    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError>;
}

/// The messages of one durable consumer.
#[async_trait]
pub trait Deliveries: Send {
    /// The next message; none when the bus is closed.
    async fn next(&mut self) -> Option<Delivery>;
}

/// What arrived, before anybody tried to understand it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it travelled.
    pub subject: String,
    /// Its headers, in the order they came.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub payload: Bytes,
}

impl Message {
    /// The envelope, if the headers make one.
    ///
    /// # Errors
    /// When a header that every event carries is missing or malformed.
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        let value = |name: &str| self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        Envelope::from_parts(&self.subject, value, self.payload.clone())
    }
}

impl From<&Envelope> for Message {
    fn from(envelope: &Envelope) -> Self {
        Self {
            subject: envelope.subject.clone(),
            headers: envelope.headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            payload: envelope.payload.clone(),
        }
    }
}

/// One delivery. Dropped without an answer, it comes again.
pub struct Delivery {
    /// What was delivered.
    pub message: Message,
    /// 1 at first, then counting up.
    pub attempt: u32,
    /// How to answer.
    pub answer: Box<dyn Answer>,
}

/// How a delivery is answered.
#[async_trait]
pub trait Answer: Send {
    /// It is done, for good.
    async fn ack(self: Box<Self>) -> Result<(), BusError>;

    /// It failed: deliver it again, not before `delay` has passed.
    async fn retry(self: Box<Self>, delay: Duration) -> Result<(), BusError>;
}
