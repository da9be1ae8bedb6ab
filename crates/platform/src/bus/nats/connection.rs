//! One service's connection: counts how often it was made, publishes, and waits for receipts where a stream asks for them.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::{Client, ConnectOptions, Event, HeaderMap};
use futures_util::StreamExt;
use lasegue_contracts::topology::Stream;
use lasegue_contracts::{Envelope, Service};
use secrecy::ExposeSecret;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::NatsConfig;
use super::room::Room;
use crate::bus::BusError;
use crate::chain;
use crate::clock::SharedClock;

/// How long a publish waits for the server's acknowledgement, and any other request for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a publish waits for its receipt before the event is published again.
const RECEIPT_WITHIN: Duration = Duration::from_secs(5);
/// The longest wait before the next try to connect again.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Publishes of one service that may wait for their acknowledgement.
const UNDER_WAY: usize = 4_096;

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) jetstream: Context,
    /// How often the connection was made.
    pub(super) count: watch::Receiver<u64>,
    pub(super) clock: SharedClock,
    receipts: Arc<Receipts>,
    room: Room,
}

impl Connection {
    pub(super) async fn open(config: &NatsConfig, service: Service, clock: SharedClock) -> Result<Self, BusError> {
        let (made, mut count) = watch::channel(0);
        let client = options(config, service, made).connect(config.url.as_str()).await.map_err(|error| {
            BusError::Refused(format!("NATS at {} does not take {service} in: {}", config.url, chain(&error)))
        })?;
        if !client.is_server_compatible(2, 10, 0) {
            let found = client.server_info().version;
            return Err(BusError::Misconfigured(format!(
                "the NATS server is version {found}, which silently ignores what the bus relies on: install 2.10 or newer"
            )));
        }
        // The client tells of this first connection a little later: who joined before would take it for another one.
        count.wait_for(|count| *count > 0).await.map_err(refused)?;
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER_WITHIN)
            .ack_timeout(ANSWER_WITHIN)
            .max_ack_inflight(UNDER_WAY)
            .build(client.clone());
        let receipts = Arc::<Receipts>::default();
        let arriving = client.subscribe(receipt_subject(service.name(), "*")).await.map_err(refused)?;
        tokio::spawn(take_receipts(arriving, receipts.clone()));
        Ok(Self { client, jetstream, count, clock, receipts, room: Room::default() })
    }

    /// Resolves with the event's place in its stream, once the stream has it and, if it asks for receipts, the reader
    /// has told of its commit.
    pub(super) async fn publish(&self, envelope: &Envelope) -> Result<u64, BusError> {
        let waiting = wants_receipt(&envelope.subject).then(|| self.receipts.expect(envelope.id));
        let mut headers = HeaderMap::new();
        for (name, value) in envelope.headers() {
            headers.insert(name, value);
        }
        let (subject, payload) = (envelope.subject.clone(), envelope.payload.clone());
        let sent = self.jetstream.publish_with_headers(subject, headers, payload).await.map_err(refused)?;
        let place = match sent.await {
            Ok(stored) => stored.sequence,
            Err(error) => {
                self.room.make_if_full(&self.jetstream, &envelope.subject, &error).await;
                return Err(refused(error));
            }
        };
        if let Some(waiting) = waiting {
            tokio::select! {
                () = waiting.came() => {}
                () = self.clock.sleep(RECEIPT_WITHIN) => return Err(BusError::Unread),
            }
        }
        Ok(place)
    }

    /// Tells the sender of `id` that its event was handled for good.
    pub(super) async fn send_receipt(&self, source: &str, id: Uuid) -> Result<(), BusError> {
        self.client.publish(receipt_subject(source, id), bytes::Bytes::new()).await.map_err(refused)
    }
}

fn options(config: &NatsConfig, service: Service, made: watch::Sender<u64>) -> ConnectOptions {
    let made = Arc::new(made);
    let options = ConnectOptions::new()
        .name(format!("lasegue-{service}"))
        .custom_inbox_prefix(format!("_INBOX_{service}"))
        .request_timeout(Some(ANSWER_WITHIN))
        .max_reconnects(None)
        .reconnect_delay_callback(|tries| Duration::from_millis(50 * tries as u64).min(LONGEST_WAIT))
        .event_callback(move |event| {
            match event {
                Event::Connected => made.send_modify(|count| *count += 1),
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
struct Receipts(Mutex<HashMap<Uuid, Arc<Notify>>>);

impl Receipts {
    fn expect(&self, id: Uuid) -> Waiting<'_> {
        let arrived = self.lock().entry(id).or_default().clone();
        Waiting { receipts: self, id, arrived }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One event's receipt is waited for until this is dropped.
struct Waiting<'a> {
    receipts: &'a Receipts,
    id: Uuid,
    arrived: Arc<Notify>,
}

impl Waiting<'_> {
    async fn came(&self) {
        self.arrived.notified().await;
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
            arrived.notify_one();
        }
    }
}

/// The bus's error for one of the client's, with all its causes in one line.
pub(super) fn refused(error: impl Error) -> BusError {
    BusError::Refused(chain(&error))
}
