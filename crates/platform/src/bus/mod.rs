//! The bus: carries events from an outbox to every durable consumer that takes them, at least once.
//!
//! A delivery is answered with ack, retry after a delay, or not at all (then it comes again). The bus keeps no truth:
//! what it loses is still in its sender's outbox.

mod embedded;
mod nats;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lasegue_contracts::topology::{Consumer, Stream};
use lasegue_contracts::{Envelope, EnvelopeError, Service};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::embedded::EmbeddedBus;
pub use self::nats::{NatsBus, NatsConfig, authorization};

/// Why the bus could not do what was asked. Trying again may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Nobody can take the event now.
    #[error("the bus is closed")]
    Closed,
    /// The transport refused or did not answer.
    #[error("the bus did not do what was asked: {0}")]
    Refused(String),
    /// The transport took the event, but its reader has not told of its commit yet.
    #[error("the event is on its way, but its reader has not confirmed it yet")]
    Unread,
    /// The transport is set up in a way that would break a promise. The sentence says what to do.
    #[error("{0}")]
    Misconfigured(String),
}

/// Carries events.
#[async_trait]
pub trait Bus: Send + Sync + Debug {
    /// Resolves once the event needs its outbox no longer: embedded, when every consumer has acked it; otherwise when
    /// the transport has stored it, with its place in its stream, and a stream that asks for receipts got one.
    async fn publish(&self, envelope: &Envelope) -> Result<Option<u64>, BusError>;

    /// Joins the durable `consumer`; several may, and each message goes to one of them. `last` is what it handled last:
    /// a transport that has something else in that place lost a part of its stream.
    async fn subscribe(&self, consumer: &'static Consumer, last: Option<Handled>) -> Result<Joined, BusError>;

    /// How many messages of `consumer` wait or are under way.
    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError>;

    /// How often `service` was connected: each time the transport may have lost something. None if it never can.
    fn connected(&self, _service: Service) -> Option<watch::Receiver<u64>> {
        None
    }

    /// Makes the streams that `service` publishes to, where they are missing, and says what each holds.
    async fn holdings(&self, _service: Service) -> Result<Vec<Holding>, BusError> {
        Ok(Vec::new())
    }

    /// Sends off what is still on its way out of this process.
    async fn close(&self) {}
}

/// What a transport still has of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which stream.
    pub stream: &'static Stream,
    /// When it was made, by the server's clock, in nanoseconds since 1970: another value is another stream.
    pub created_nanos: String,
    /// The place of its last event, 0 if it never had one.
    pub last_sequence: u64,
}

/// An event that a consumer has handled, and where it was in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handled {
    /// Its place, counted from 1.
    pub place: u64,
    /// Its id.
    pub event: Uuid,
}

/// A durable consumer that was joined.
pub struct Joined {
    /// What arrives.
    pub deliveries: Box<dyn Deliveries>,
    /// Whether the durable begins anew with the first event: every place handled before means nothing now.
    pub anew: bool,
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
    /// Its place in the stream, where the transport keeps one.
    pub place: Option<u64>,
    /// How to answer.
    pub answer: Box<dyn Answer>,
}

/// How a delivery is answered.
#[async_trait]
pub trait Answer: Send + Sync {
    /// It is done, for good.
    async fn ack(self: Box<Self>) -> Result<(), BusError>;

    /// It failed: deliver it again, not before `delay` has passed.
    async fn retry(self: Box<Self>, delay: Duration) -> Result<(), BusError>;

    /// It is under way still: do not deliver it to anybody else.
    async fn working(&self) -> Result<(), BusError> {
        Ok(())
    }
}
