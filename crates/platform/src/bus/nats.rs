//! The bus on NATS JetStream: one connection for each service of the process, under that service's own user.
//!
//! A producer owns its streams, a consumer its durable; both make again what the server lost. The server is only the
//! transport: the relay compares after every connection what it holds and publishes again what it lost.

mod compare;
mod connection;
mod deliveries;
mod denial;
mod layout;
mod permissions;
mod proof;
mod room;
mod tail;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use async_nats::connection::State;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{self, ConsumerError, ConsumerErrorKind};
use async_trait::async_trait;
use lasegue_contracts::topology::{CONSUMERS, Consumer, Stream};
use lasegue_contracts::{Envelope, Service};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::connection::{Connection, Start, refused};
pub use self::permissions::authorization;
use super::{Bus, BusError, Compared, Handled, Holding, Joined, Memory, Message, Proof, Tail};
use crate::clock::SharedClock;
use crate::signed::{EventKeys, Forged};

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
    /// What events are signed and verified with.
    pub keys: Arc<EventKeys>,
}

impl NatsConfig {
    /// A single server at `url`, without logins, with 1 GiB for each stream.
    pub fn single(url: impl Into<String>, keys: Arc<EventKeys>) -> Self {
        Self { url: url.into(), passwords: BTreeMap::new(), replicas: 1, max_stream_bytes: 1 << 30, keys }
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
        let bus = Self::with(config, services, clock, Start::Now).await?;
        for service in services {
            let connection = bus.connection(*service)?;
            connection.check_version()?;
            for stream in Stream::published_by(*service).filter(|stream| stream.keeper() == Some(*service)) {
                bus.make_stream(connection, stream).await?;
            }
            bus.check_durables(*service).await?;
        }
        Ok(bus)
    }

    /// Connects as each of `services` as soon as a server answers. Until then it is away.
    ///
    /// # Errors
    /// When the servers' address is none.
    pub async fn connect_later(
        config: NatsConfig,
        services: &[Service],
        clock: &SharedClock,
    ) -> Result<Self, BusError> {
        Self::with(config, services, clock, Start::Later).await
    }

    async fn with(
        config: NatsConfig,
        services: &[Service],
        clock: &SharedClock,
        start: Start,
    ) -> Result<Self, BusError> {
        let mut connections = HashMap::new();
        for service in services {
            connections.insert(*service, Arc::new(Connection::open(&config, *service, clock.clone(), start).await?));
        }
        Ok(Self { connections, config })
    }

    fn connection(&self, service: Service) -> Result<&Arc<Connection>, BusError> {
        self.connections
            .get(&service)
            .ok_or_else(|| BusError::Refused(format!("this process has no connection to NATS as {service}")))
    }

    /// The connection of the service that sends an event.
    fn sender(&self, envelope: &Envelope) -> Result<&Arc<Connection>, BusError> {
        let sender = Service::ALL.into_iter().find(|service| service.name() == envelope.source);
        self.connection(sender.ok_or_else(|| BusError::Refused(format!("{} is no service", envelope.source)))?)
    }

    /// Makes a stream where it is missing.
    async fn make_stream(&self, connection: &Connection, stream: &Stream) -> Result<stream::Stream, BusError> {
        let made = connection.jetstream.get_or_create_stream(layout::stream(stream, &self.config)).await;
        let made =
            made.map_err(|error| layout::too_little_room(&error, &self.config).unwrap_or_else(|| refused(error)))?;
        compare::stream(connection, stream, &self.config).await?;
        Ok(made)
    }

    /// A stream that `keeper` makes where it is missing.
    async fn find_stream(
        &self,
        connection: &Connection,
        stream: &Stream,
        keeper: Service,
    ) -> Result<stream::Stream, BusError> {
        let found = connection.jetstream.get_stream(stream.name).await.map_err(|error| match error.kind() {
            GetStreamErrorKind::JetStream(cause) if cause.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                BusError::NotMade { stream: stream.name, keeper }
            }
            _ => refused(error),
        })?;
        compare::stream(connection, stream, &self.config).await?;
        Ok(found)
    }

    /// Refuses durables that exist with another configuration. One whose stream is not there yet is made when joined.
    async fn check_durables(&self, service: Service) -> Result<(), BusError> {
        let connection = self.connection(service)?;
        for consumer in CONSUMERS.iter().filter(|consumer| consumer.owner == service) {
            let found = connection
                .jetstream
                .get_consumer_from_stream::<pull::Config, _, _>(consumer.name, consumer.stream.name);
            if found.await.is_ok() {
                compare::durable(connection, consumer, &self.config).await?;
            }
        }
        Ok(())
    }
}

/// Whether the server answered that it has no such durable.
fn is_missing(error: &ConsumerError) -> bool {
    matches!(error.kind(), ConsumerErrorKind::JetStream(cause) if cause.error_code() == ErrorCode::CONSUMER_NOT_FOUND)
}

#[async_trait]
impl Bus for NatsBus {
    async fn publish(&self, envelope: &Envelope) -> Result<Option<u64>, BusError> {
        self.sender(envelope)?.publish(envelope.id, self.sign(envelope)?, None).await.map(Some)
    }

    async fn publish_again(&self, envelope: &Envelope, copy: i64) -> Result<Option<u64>, BusError> {
        let name = format!("{}.{copy}", envelope.id);
        self.sender(envelope)?.publish(envelope.id, self.sign(envelope)?, Some(name)).await.map(Some)
    }

    fn sign(&self, envelope: &Envelope) -> Result<Message, BusError> {
        self.config.keys.sign(envelope)
    }

    fn verify(&self, consumer: &Consumer, message: &Message) -> Result<(), Forged> {
        self.config.keys.verify(consumer, message)
    }

    async fn subscribe(&self, consumer: &'static Consumer, last: Option<Handled>) -> Result<Joined, BusError> {
        let connection = self.connection(consumer.owner)?;
        deliveries::join(connection.clone(), consumer, &self.config, last).await
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

    fn is_away(&self, service: Service) -> bool {
        let connection = self.connections.get(&service);
        connection.is_none_or(|connection| connection.client.connection_state() != State::Connected)
    }

    fn connected(&self, service: Service) -> Option<watch::Receiver<u64>> {
        self.connections.get(&service).map(|connection| connection.count.clone())
    }

    async fn holding(
        &self,
        service: Service,
        stream: &'static Stream,
        last: Option<Handled>,
    ) -> Result<Option<Holding>, BusError> {
        let connection = self.connection(service)?;
        connection.check_version()?;
        let stream = match stream.keeper() {
            Some(keeper) if keeper != service => self.find_stream(connection, stream, keeper).await?,
            _ => self.make_stream(connection, stream).await?,
        };
        let tail = match last {
            Some(last) => tail::look_up(&stream, last).await?,
            None => Tail::Kept,
        };
        let created_nanos = stream.cached_info().created.unix_timestamp_nanos().to_string();
        Ok(Some(Holding { created_nanos, tail }))
    }

    fn compared(&self, service: Service) -> Vec<Compared> {
        self.connections.get(&service).map(|connection| connection.found.all()).unwrap_or_default()
    }

    async fn prove(&self, sender: Service, consumer: &'static Consumer, events: &[Uuid]) -> Result<Proof, BusError> {
        proof::ask(self.connection(sender)?, sender, consumer, events).await
    }

    async fn answer(
        &self,
        consumer: &'static Consumer,
        memory: Arc<dyn Memory>,
        stop: CancellationToken,
    ) -> Result<(), BusError> {
        proof::answer(self.connection(consumer.owner)?.clone(), consumer, memory, stop).await
    }

    async fn close(&self) {
        for (service, connection) in &self.connections {
            if let Err(error) = connection.client.flush().await {
                tracing::warn!(%service, error = crate::chain(&error), "the last answers may not have reached NATS: their events come again");
            }
        }
    }
}
