//! The bus on NATS JetStream: one connection for each service of the process, under that service's own user.
//!
//! A producer owns its streams, a consumer its durable; both make again what the server lost. The server is only the
//! transport: the relay compares after every connection what it holds and publishes again what it lost.

mod connection;
mod deliveries;
mod layout;
mod permissions;
mod room;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use async_nats::connection::State;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::context::Context;
use async_nats::jetstream::stream::{self, ConsumerError, ConsumerErrorKind};
use async_trait::async_trait;
use lasegue_contracts::topology::{CONSUMERS, Consumer, STREAMS, Stream};
use lasegue_contracts::{Envelope, Service};
use secrecy::SecretString;
use tokio::sync::watch;

use self::connection::{Connection, refused};
pub use self::permissions::authorization;
use super::{Bus, BusError, Handled, Holding, Joined};
use crate::clock::SharedClock;

/// Where the servers are and how the streams are kept.
#[derive(Clone, Debug)]
pub struct NatsConfig {
    /// `nats://host:port`, several with commas between.
    pub url: String,
    /// The password of each service's user, which bears the service's name. Without one the connection has no login.
    pub passwords: BTreeMap<Service, SecretString>,
    /// Copies of each stream: 3 in a cluster of three.
    pub replicas: usize,
    /// The most bytes that one stream may hold; beyond that it refuses new events and the outbox keeps them.
    pub max_stream_bytes: i64,
}

impl NatsConfig {
    /// A single server at `url`, without logins, with 1 GiB for each stream.
    pub fn single(url: impl Into<String>) -> Self {
        Self { url: url.into(), passwords: BTreeMap::new(), replicas: 1, max_stream_bytes: 1 << 30 }
    }
}

/// The bus on NATS JetStream.
pub struct NatsBus {
    connections: HashMap<Service, Arc<Connection>>,
    config: NatsConfig,
}

impl fmt::Debug for NatsBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBus").field("config", &self.config).finish_non_exhaustive()
    }
}

impl NatsBus {
    /// Connects as each of `services` and makes the streams that they own.
    ///
    /// # Errors
    /// When no server answers, one is too old, or a stream or durable is configured otherwise than asked.
    pub async fn connect(config: NatsConfig, services: &[Service], clock: &SharedClock) -> Result<Self, BusError> {
        let mut connections = HashMap::new();
        for service in services {
            connections.insert(*service, Arc::new(Connection::open(&config, *service, clock.clone()).await?));
        }
        let bus = Self { connections, config };
        for service in services {
            bus.holdings(*service).await?;
            bus.check_durables(*service).await?;
        }
        Ok(bus)
    }

    /// Whether `service` is connected now. While it is not, its events wait in its outbox.
    pub fn is_connected(&self, service: Service) -> bool {
        self.connections
            .get(&service)
            .is_some_and(|connection| connection.client.connection_state() == State::Connected)
    }

    fn connection(&self, service: Service) -> Result<&Arc<Connection>, BusError> {
        self.connections
            .get(&service)
            .ok_or_else(|| BusError::Refused(format!("this process has no connection to NATS as {service}")))
    }

    async fn make_stream(&self, jetstream: &Context, stream: &'static Stream) -> Result<Holding, BusError> {
        let wanted = layout::stream(stream, &self.config);
        let made = jetstream.get_or_create_stream(wanted.clone()).await.map_err(refused)?;
        let found = made.cached_info();
        layout::check_stream(&wanted, &found.config)?;
        Ok(holding(stream, found))
    }

    /// Refuses durables that exist with another configuration. One whose stream is not there yet is made when joined.
    async fn check_durables(&self, service: Service) -> Result<(), BusError> {
        let connection = self.connection(service)?;
        for consumer in CONSUMERS.iter().filter(|consumer| consumer.owner == service) {
            let found = connection
                .jetstream
                .get_consumer_from_stream::<pull::Config, _, _>(consumer.name, consumer.stream.name);
            if let Ok(found) = found.await {
                layout::check_durable(consumer, self.config.replicas, &found.cached_info().config)?;
            }
        }
        Ok(())
    }
}

fn holding(stream: &'static Stream, info: &stream::Info) -> Holding {
    Holding {
        stream,
        created_nanos: info.created.unix_timestamp_nanos().to_string(),
        last_sequence: info.state.last_sequence,
    }
}

/// Whether the server answered that it has no such durable.
fn is_missing(error: &ConsumerError) -> bool {
    matches!(error.kind(), ConsumerErrorKind::JetStream(cause) if cause.error_code() == ErrorCode::CONSUMER_NOT_FOUND)
}

#[async_trait]
impl Bus for NatsBus {
    async fn publish(&self, envelope: &Envelope) -> Result<Option<u64>, BusError> {
        let sender = Service::ALL.into_iter().find(|service| service.name() == envelope.source);
        let sender = sender.ok_or_else(|| BusError::Refused(format!("{} is no service", envelope.source)))?;
        self.connection(sender)?.publish(envelope).await.map(Some)
    }

    async fn subscribe(&self, consumer: &'static Consumer, last: Option<Handled>) -> Result<Joined, BusError> {
        let connection = self.connection(consumer.owner)?;
        deliveries::join(connection.clone(), consumer, self.config.replicas, last).await
    }

    async fn lag(&self, consumer: &'static Consumer) -> Result<u64, BusError> {
        let jetstream = &self.connection(consumer.owner)?.jetstream;
        let durable = jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer.name, consumer.stream.name);
        let durable = match durable.await {
            Ok(durable) => durable,
            Err(error) if is_missing(&error) => {
                // Nobody has joined yet: everything waits.
                let stream = jetstream.get_stream(consumer.stream.name).await.map_err(refused)?;
                return Ok(stream.cached_info().state.messages);
            }
            Err(error) => return Err(refused(error)),
        };
        let info = durable.cached_info();
        Ok(info.num_pending + info.num_ack_pending as u64)
    }

    fn connected(&self, service: Service) -> Option<watch::Receiver<u64>> {
        self.connections.get(&service).map(|connection| connection.count.clone())
    }

    async fn holdings(&self, service: Service) -> Result<Vec<Holding>, BusError> {
        let connection = self.connection(service)?;
        let mut holdings = Vec::new();
        for stream in STREAMS.iter().filter(|stream| stream.owner.is_none_or(|owner| owner == service)) {
            holdings.push(self.make_stream(&connection.jetstream, stream).await?);
        }
        Ok(holdings)
    }

    async fn close(&self) {
        for (service, connection) in &self.connections {
            if let Err(error) = connection.client.flush().await {
                tracing::warn!(%service, %error, "the last answers may not have reached NATS: their events come again");
            }
        }
    }
}
