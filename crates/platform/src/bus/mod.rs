//! The bus: carries events from an outbox to every durable consumer that takes them, at least once.
//!
//! A delivery is answered with ack, retry after a delay, or not at all (then it comes again). The bus keeps no truth:
//! what it loses is still in its sender's outbox.

mod embedded;
mod nats;

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lasegue_contracts::topology::{Consumer, Stream};
use lasegue_contracts::{Envelope, EnvelopeError, Service};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::direct::{HandOverError, SecondWay};
use crate::signed::Forged;

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
    /// The transport never takes this event as it is set up: the event is larger than it allows, or its sender has no right.
    #[error("the bus does not take the event, however often it is tried: {0}")]
    Never(String),
    /// The transport took the event, but its reader has not told of its commit yet.
    #[error("the event is on its way, but its reader has not confirmed it yet")]
    Unread {
        /// Its place in its stream.
        place: u64,
    },
    /// The stream is not there, and another service makes it.
    #[error("the stream {stream} is not there yet: {keeper} makes it")]
    NotMade {
        /// Which.
        stream: &'static str,
        /// Who.
        keeper: Service,
    },
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

    /// Publishes an event that the transport had before, and whose reader lacks it, as a `copy` that was not sent yet: the
    /// transport must not take it for the one that it had.
    async fn publish_again(&self, envelope: &Envelope, _copy: i64) -> Result<Option<u64>, BusError> {
        self.publish(envelope).await
    }

    /// An event as it travels: signed by its sender, where others could send one.
    ///
    /// # Errors
    /// When the sender is no service of this process.
    fn sign(&self, envelope: &Envelope) -> Result<Message, BusError> {
        Ok(Message::from(envelope))
    }

    /// Whether `message` is one that `consumer` may take: where others could send one, only what its sender has signed.
    ///
    /// # Errors
    /// When it is not, and why.
    fn verify(&self, _consumer: &Consumer, _message: &Message) -> Result<(), Forged> {
        Ok(())
    }

    /// Joins the durable `consumer`; several may, and each message goes to one of them. `last` is what it handled last:
    /// a transport that has something else in that place lost a part of its stream.
    async fn subscribe(&self, consumer: &'static Consumer, last: Option<Handled>) -> Result<Joined, BusError>;

    /// How many messages of `consumer` wait or are under way.
    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError>;

    /// Whether the transport is known to be out of `service`'s reach now: what it publishes waits.
    fn is_away(&self, _service: Service) -> bool {
        false
    }

    /// The way for what is live when the transport does not take it. None where it cannot happen.
    fn second_way(&self) -> Option<Arc<dyn SecondWay>> {
        None
    }

    /// Hands an event that is in no outbox to its one reader, once: resolves when `consumer` has committed what follows. What
    /// fails is forgotten, and its sender's to hand over again.
    ///
    /// # Errors
    /// When it was not handled, or the transport has no such way.
    async fn hand_over(&self, _consumer: &'static Consumer, _envelope: &Envelope) -> Result<(), HandOverError> {
        Err(HandOverError::NotHandled("there is no way past the queue".to_owned()))
    }

    /// How often `service` was connected: each time the transport may have lost something. None if it never can.
    fn connected(&self, _service: Service) -> Option<watch::Receiver<u64>> {
        None
    }

    /// Makes `stream`, to which `service` publishes, where it is missing, and says what became of it. `last` is the event
    /// with the last place that is known there. None if the transport keeps nothing.
    async fn holding(
        &self,
        _service: Service,
        _stream: &'static Stream,
        _last: Option<Handled>,
    ) -> Result<Option<Holding>, BusError> {
        Ok(None)
    }

    /// How the streams and durables that `service` uses were found when they were last compared with what was asked.
    fn compared(&self, _service: Service) -> Vec<Compared> {
        Vec::new()
    }

    /// Asks the reader of `consumer` which of `events`, published by `sender`, it has handled.
    async fn prove(&self, sender: Service, consumer: &'static Consumer, events: &[Uuid]) -> Result<Proof, BusError>;

    /// Lets `memory` answer for the reader of `consumer`, until `stop`.
    async fn answer(
        &self,
        consumer: &'static Consumer,
        memory: Arc<dyn Memory>,
        stop: CancellationToken,
    ) -> Result<(), BusError>;

    /// Sends off what is still on its way out of this process.
    async fn close(&self) {}
}

/// A stream or durable that was compared with what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Which.
    pub what: String,
    /// What is wrong with it, and what to do.
    pub wrong: Option<String>,
}

/// What a transport still has of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// When it was made, by the server's clock, in nanoseconds since 1970: another value is another stream.
    pub created_nanos: String,
    /// Whether it still ends with what is known of it.
    pub tail: Tail,
}

/// What a stream has in the place of an event that was there. With that event it has all that came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// The event, or none was known.
    Kept,
    /// Another event, or none yet.
    Lost,
    /// Nothing any more: it was kept for its time, or let go to make room.
    LetGo,
}

/// An event that a consumer has handled, and where it was in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handled {
    /// Its place, counted from 1.
    pub place: u64,
    /// Its id.
    pub event: Uuid,
}

/// What a reader has handled, of what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Which of the reader's processes answers: each has an id of its own from its start to its end.
    pub reader: Uuid,
    /// What it has handled for good.
    pub handled: HashSet<Uuid>,
    /// The place up to which the transport gives it nothing any more: what is not handled up to there is not coming.
    pub passed: u64,
}

/// What a reader remembers.
#[async_trait]
pub trait Memory: Send + Sync {
    /// The id of this process of the reader.
    fn id(&self) -> Uuid;

    /// Which of `events` it has handled for good.
    async fn handled(&self, events: &[Uuid]) -> Result<Vec<Uuid>, BusError>;
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
        Envelope::from_parts(&self.subject, |name| self.header(name), self.payload.clone())
    }

    /// The first value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
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

    /// It is none of ours and is not wanted again; nobody hears that it was handled.
    async fn refuse(self: Box<Self>) -> Result<(), BusError>;

    /// It failed: deliver it again, not before `delay` has passed.
    async fn retry(self: Box<Self>, delay: Duration) -> Result<(), BusError>;

    /// It is under way still: do not deliver it to anybody else.
    async fn working(&self) -> Result<(), BusError> {
        Ok(())
    }
}
