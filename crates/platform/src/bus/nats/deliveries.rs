//! A durable's deliveries to one replica, and their answers.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::{self, MessagesErrorKind};
use async_nats::jetstream::{self, AckKind};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use lasegue_contracts::envelope::header;
use lasegue_contracts::topology::Consumer;
use tokio::sync::watch;

use super::connection::{Connection, refused, wants_receipt};
use super::{NatsConfig, compare, is_missing, layout, tail};
use crate::bus::{Answer, BusError, Deliveries, Delivery, Handled, Joined, Message, Tail};

/// How long the server may be silent before the connection counts as lost.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long one request for events stays open. The server still gives events to a replica that hangs until its last
/// request is over.
const EXPIRES: Duration = Duration::from_secs(5);
/// How soon an event that was fetched but not begun comes again, to another replica or to a successor.
const GIVEN_BACK: Duration = Duration::from_millis(100);

/// Joins `consumer`'s durable, made first if the server has none, or one that had read what its stream has lost.
pub(super) async fn join(
    connection: Arc<Connection>,
    consumer: &'static Consumer,
    config: &NatsConfig,
    last: Option<Handled>,
) -> Result<Joined, BusError> {
    let mut count = connection.count.clone();
    count.mark_unchanged();
    compare::stream(&connection, consumer.stream, config).await?;
    let (durable, anew) = settle(&connection, consumer, config, last).await?;
    compare::durable(&connection, consumer, config).await?;
    let messages = durable
        .stream()
        .max_messages_per_batch(consumer.in_flight)
        .heartbeat(HEARTBEAT)
        .expires(EXPIRES)
        .messages()
        .await
        .map_err(refused)?;
    let deliveries = Box::new(Pulled { messages: Some(messages), connection, count, consumer });
    Ok(Joined { deliveries, anew })
}

type Durable = jetstream::consumer::Consumer<pull::Config>;

/// The durable, and whether it begins anew.
async fn settle(
    connection: &Connection,
    consumer: &'static Consumer,
    config: &NatsConfig,
    last: Option<Handled>,
) -> Result<(Durable, bool), BusError> {
    let (jetstream, name) = (&connection.jetstream, consumer.stream.name);
    match jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer.name, name).await {
        Ok(found) => {
            let info = found.cached_info();
            if !has_lost(jetstream, name, info.delivered.stream_sequence, last).await? {
                return Ok((found, false));
            }
            tracing::error!(
                consumer = consumer.name,
                "the stream lost events that were delivered: the durable begins anew"
            );
            jetstream.delete_consumer_from_stream(consumer.name, name).await.map_err(refused)?;
        }
        Err(error) if is_missing(&error) => {}
        Err(error) => return Err(refused(error)),
    }
    let made = jetstream.create_consumer_strict_on_stream(layout::durable(consumer, config.replicas), name).await;
    Ok((made.map_err(refused)?, true))
}

/// Whether the stream ends before what was delivered of it, or has another event in the place of the one handled last.
/// The stream is asked after its reader: it only grows meanwhile.
async fn has_lost(
    jetstream: &jetstream::Context,
    name: &str,
    delivered: u64,
    last: Option<Handled>,
) -> Result<bool, BusError> {
    let stream = jetstream.get_stream(name).await.map_err(refused)?;
    let end = stream.cached_info().state.last_sequence;
    if delivered > end {
        return Ok(true);
    }
    Ok(match last {
        Some(last) => tail::look_up(&stream, last).await? == Tail::Lost,
        None => false,
    })
}

struct Pulled {
    /// Taken when dropped.
    messages: Option<pull::Stream>,
    connection: Arc<Connection>,
    count: watch::Receiver<u64>,
    consumer: &'static Consumer,
}

#[async_trait]
impl Deliveries for Pulled {
    /// None after a new connection, too: the server may have lost the durable, so it is joined again.
    async fn next(&mut self) -> Option<Delivery> {
        let messages = self.messages.as_mut()?;
        let arrived = tokio::select! {
            biased;
            _ = self.count.changed() => None,
            arrived = messages.next() => arrived,
        };
        match arrived? {
            Ok(message) => Some(delivery(message, &self.connection)),
            Err(error) => {
                tracing::warn!(
                    consumer = self.consumer.name,
                    error = crate::chain(&error),
                    "the durable is joined again"
                );
                if matches!(error.kind(), MessagesErrorKind::MissingHeartbeat) {
                    self.connection.make_anew().await;
                }
                None
            }
        }
    }
}

impl Drop for Pulled {
    fn drop(&mut self) {
        if let (Some(messages), Ok(runtime)) = (self.messages.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(give_back(messages));
        }
    }
}

/// Gives back what was fetched and not begun, so that nobody waits for its acknowledgement to run out.
async fn give_back(mut messages: pull::Stream) {
    while let Some(Some(Ok(message))) = messages.next().now_or_never() {
        if let Err(error) = message.ack_with(AckKind::Nak(Some(GIVEN_BACK))).await {
            tracing::warn!(
                error = crate::chain(&*error),
                "an event that was not begun could not be given back: it comes again later"
            );
        }
    }
}

fn delivery(arrived: jetstream::Message, connection: &Arc<Connection>) -> Delivery {
    let info = arrived.info().ok();
    let place = info.as_ref().map(|info| info.stream_sequence);
    let attempt = info.and_then(|info| u32::try_from(info.delivered).ok()).unwrap_or(1);
    let headers = arrived.headers.iter().flat_map(async_nats::HeaderMap::iter);
    let headers = headers
        .flat_map(|(name, values)| values.iter().map(move |value| (name.to_string(), value.to_string())))
        .collect();
    let message = Message { subject: arrived.subject.to_string(), headers, payload: arrived.payload.clone() };
    Delivery { message, attempt, place, answer: Box::new(Pending { arrived, connection: connection.clone() }) }
}

/// A delivery that waits for its answer.
struct Pending {
    arrived: jetstream::Message,
    connection: Arc<Connection>,
}

impl Pending {
    async fn say(&self, kind: AckKind) -> Result<(), BusError> {
        self.arrived.ack_with(kind).await.map_err(|error| BusError::Refused(error.to_string()))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.arrived.headers.as_ref()?.get(name).map(async_nats::HeaderValue::as_str)
    }
}

#[async_trait]
impl Answer for Pending {
    async fn ack(self: Box<Self>) -> Result<(), BusError> {
        self.say(AckKind::Ack).await?;
        if wants_receipt(&self.arrived.subject)
            && let Some(source) = self.header(header::SOURCE).and_then(|source| source.strip_prefix("/lasegue/"))
            && let Some(id) = self.header(header::ID).and_then(|id| id.parse().ok())
        {
            self.connection.send_receipt(source, id).await?;
        }
        Ok(())
    }

    async fn refuse(self: Box<Self>) -> Result<(), BusError> {
        self.say(AckKind::Ack).await
    }

    async fn retry(self: Box<Self>, delay: Duration) -> Result<(), BusError> {
        self.say(AckKind::Nak(Some(delay))).await
    }

    async fn working(&self) -> Result<(), BusError> {
        self.say(AckKind::Progress).await
    }
}
