//! One service's connection: counts how often it was made, publishes, and waits for receipts where a stream asks for them.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{Context, ContextBuilder, PublishError, PublishErrorKind};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, HeaderMap, ServerError};
use bytes::Bytes;
use futures_util::StreamExt;
use lasegue_contracts::Service;
use lasegue_contracts::envelope::header;
use lasegue_contracts::topology::Stream;
use secrecy::ExposeSecret;
use tokio::sync::{broadcast, mpsc, watch};
use uuid::Uuid;

use super::compare::Found;
use super::room::Room;
use super::{NatsConfig, denial};
use crate::bus::{BusError, Message};
use crate::chain;
use crate::clock::SharedClock;

/// How long a publish waits for the server's acknowledgement, and any other request for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a publish waits for its receipt before the event is published again.
const RECEIPT_WITHIN: Duration = Duration::from_secs(5);
/// How often the server is asked whether it is still there: a connection on which it is silent three times is given up.
const PING_EVERY: Duration = Duration::from_secs(2);
/// The longest wait before the next try to connect again.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Publishes of one service that may wait for their acknowledgement.
const UNDER_WAY: usize = 4_096;

/// What a connection is to do when no server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Fail.
    Now,
    /// Be away until one does.
    Later,
}

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) jetstream: Context,
    /// How often the connection was made.
    pub(super) count: watch::Receiver<u64>,
    pub(super) clock: SharedClock,
    /// Which connection was given up by [`Self::make_anew`] last.
    given_up: AtomicU64,
    receipts: Arc<Receipts>,
    room: Room,
    /// How its streams and durables were found.
    pub(super) found: Found,
    /// The server's complaints about what this user may not do.
    denied: broadcast::Sender<String>,
}

impl Connection {
    pub(super) async fn open(
        config: &NatsConfig,
        service: Service,
        clock: SharedClock,
        start: Start,
    ) -> Result<Self, BusError> {
        let (made, mut count) = watch::channel(0);
        let (denied, _) = broadcast::channel(denial::WAITING);
        let mut options = options(config, service, made, denied.clone());
        if start == Start::Later {
            options = options.retry_on_initial_connect();
        }
        let client =
            options.connect(config.url.as_str()).await.map_err(|error| not_taken_in(config, service, &error))?;
        if start == Start::Now {
            // The client tells of this first connection a little later: who joined before would take it for another one.
            count.wait_for(|count| *count > 0).await.map_err(refused)?;
        }
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER_WITHIN)
            .ack_timeout(ANSWER_WITHIN)
            .max_ack_inflight(UNDER_WAY)
            .build(client.clone());
        let receipts = Arc::<Receipts>::default();
        let arriving = client.subscribe(receipt_subject(service.name(), "*")).await.map_err(refused)?;
        tokio::spawn(take_receipts(arriving, receipts.clone()));
        Ok(Self {
            client,
            jetstream,
            count,
            clock,
            given_up: AtomicU64::new(0),
            receipts,
            room: Room::of(service),
            found: Found::default(),
            denied,
        })
    }

    /// Refuses a server on which the bus cannot rely.
    pub(super) fn check_version(&self) -> Result<(), BusError> {
        if self.client.connection_state() != State::Connected {
            return Err(BusError::Refused("NATS is away".to_owned()));
        }
        if self.client.is_server_compatible(2, 10, 0) {
            return Ok(());
        }
        let found = self.client.server_info().version;
        Err(BusError::Misconfigured(format!(
            "the NATS server is version {found}, which silently ignores what the bus relies on: install 2.10 or newer"
        )))
    }

    /// Resolves with the event's place in its stream, once the stream has it and, if it asks for receipts, the reader
    /// has told of its commit.
    /// The server knows the event by its id, or by `name`.
    pub(super) async fn publish(&self, id: Uuid, message: Message, name: Option<String>) -> Result<u64, BusError> {
        let Message { subject, headers: given, payload } = message;
        let waiting = wants_receipt(&subject).then(|| self.receipts.expect(id));
        let mut headers = HeaderMap::new();
        for (header, value) in given {
            headers.insert(header, value);
        }
        if let Some(name) = name {
            headers.insert(header::MESSAGE_ID, name);
        }
        let mut denials = self.denied.subscribe();
        let sent = self.jetstream.publish_with_headers(subject.clone(), headers, payload).await.map_err(not_taken)?;
        let place = tokio::select! {
            biased;
            denied = denial::of(&mut denials, &subject) => return Err(BusError::Never(denied)),
            stored = sent.into_future() => match stored {
                Ok(stored) => stored.sequence,
                Err(error) => {
                    self.room.make_if_full(&self.jetstream, &subject, &error).await;
                    return Err(not_taken(error));
                }
            },
        };
        if let Some(mut waiting) = waiting {
            tokio::select! {
                _ = waiting.came() => {}
                () = self.clock.sleep(RECEIPT_WITHIN) => return Err(BusError::Unread { place }),
            }
        }
        Ok(place)
    }

    /// Gives the connection up for a new one, because the server has fallen silent on it. However many notice it, that
    /// happens once for each connection.
    pub(super) async fn make_anew(&self) {
        let made = *self.count.borrow();
        if self.given_up.swap(made, Ordering::SeqCst) != made
            && let Err(error) = self.client.force_reconnect().await
        {
            tracing::warn!(error = crate::chain(&error), "a silent connection to NATS could not be given up");
        }
    }

    /// Sends a question under its id and gives the answer.
    pub(super) async fn ask(&self, subject: String, question: Uuid, payload: Bytes) -> Result<Bytes, BusError> {
        let mut waiting = self.receipts.expect(question);
        self.client.publish(subject, payload).await.map_err(refused)?;
        tokio::select! {
            Some(answer) = waiting.came() => Ok(answer),
            () = self.clock.sleep(ANSWER_WITHIN) => Err(BusError::Refused("nobody answered in time".to_owned())),
        }
    }

    /// Tells the sender of `id` that its event was handled for good.
    pub(super) async fn send_receipt(&self, source: &str, id: Uuid) -> Result<(), BusError> {
        self.client.publish(receipt_subject(source, id), Bytes::new()).await.map_err(refused)
    }
}

/// A wrong password stays wrong however often it is tried.
fn not_taken_in(config: &NatsConfig, service: Service, error: &ConnectError) -> BusError {
    let said = format!("NATS at {} does not take {service} in: {}", config.url, chain(error));
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => BusError::Misconfigured(
            format!("{said}: the password of {service} is another on the server; `lasegue secrets` makes both"),
        ),
        _ => BusError::Refused(said),
    }
}

fn options(
    config: &NatsConfig,
    service: Service,
    made: watch::Sender<u64>,
    denied: broadcast::Sender<String>,
) -> ConnectOptions {
    let made = Arc::new(made);
    let options = ConnectOptions::new()
        .name(format!("lasegue-{service}"))
        .custom_inbox_prefix(format!("_INBOX_{service}"))
        .request_timeout(Some(ANSWER_WITHIN))
        .ping_interval(PING_EVERY)
        .max_reconnects(None)
        .reconnect_delay_callback(|tries| Duration::from_millis(50 * tries as u64).min(LONGEST_WAIT))
        .event_callback(move |event| {
            match event {
                Event::Connected => made.send_modify(|count| *count += 1),
                Event::ServerError(ServerError::Other(complaint)) => {
                    tracing::error!(%service, complaint, "NATS reports a fault");
                    // Nobody may be waiting.
                    let _ = denied.send(complaint);
                }
                Event::ServerError(_) | Event::ClientError(_) | Event::SlowConsumer(_) => {
                    tracing::error!(%service, %event, "NATS reports a fault");
                }
                _ => tracing::warn!(%service, %event, "the connection to NATS changed"),
            }
            std::future::ready(())
        });
    match config.passwords.get(&service) {
        Some(password) => options.user_and_password(service.name().to_owned(), password.expose_secret().to_owned()),
        None => options,
    }
}

/// Where receipts for `source`'s events arrive. Plain NATS: a lost one costs a repeated event, which the inbox drops.
pub(super) fn receipt_subject(source: &str, id: impl std::fmt::Display) -> String {
    format!("lasegue.receipt.{source}.{id}")
}

pub(super) fn wants_receipt(subject: &str) -> bool {
    Stream::of(subject).is_some_and(|stream| stream.receipts)
}

#[derive(Default)]
struct Receipts(Mutex<HashMap<Uuid, mpsc::Sender<Bytes>>>);

impl Receipts {
    fn expect(&self, id: Uuid) -> Waiting<'_> {
        let (sender, arrived) = mpsc::channel(1);
        self.lock().insert(id, sender);
        Waiting { receipts: self, id, arrived }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, mpsc::Sender<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One event's receipt is waited for until this is dropped.
struct Waiting<'a> {
    receipts: &'a Receipts,
    id: Uuid,
    arrived: mpsc::Receiver<Bytes>,
}

impl Waiting<'_> {
    /// What came; nothing else can once another waits for the same id.
    async fn came(&mut self) -> Option<Bytes> {
        self.arrived.recv().await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.receipts.lock().remove(&self.id);
    }
}

async fn take_receipts(mut arriving: async_nats::Subscriber, receipts: Arc<Receipts>) {
    while let Some(message) = arriving.next().await {
        let id = message.subject.rsplit('.').next().and_then(|last| last.parse::<Uuid>().ok());
        if let Some(arrived) = id.and_then(|id| receipts.lock().get(&id).cloned()) {
            let _ = arrived.try_send(message.payload);
        }
    }
}

/// The bus's error for an event that was not taken: whether it may be later.
fn not_taken(error: PublishError) -> BusError {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<async_nats::jetstream::Error>());
    let too_large = error.kind() == PublishErrorKind::MaxPayloadExceeded
        || cause.is_some_and(|cause| cause.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM);
    if too_large { BusError::Never(chain(&error)) } else { refused(error) }
}

/// The bus's error for one of the client's, with all its causes in one line.
pub(super) fn refused(error: impl Error) -> BusError {
    BusError::Refused(chain(&error))
}
