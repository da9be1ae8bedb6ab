//! What the services of a process stand on: which bus and which databases the configuration names.
//!
//! Without `[nats]` and `[postgres]` both are in the process: the bus in memory, each database a file of the data folder.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use lasegue_contracts::Service;
use lasegue_platform::Databases;
use lasegue_platform::bus::{Bus, BusError, EmbeddedBus, NatsBus, NatsConfig};
use lasegue_platform::clock::SharedClock;
use lasegue_platform::direct::DirectServer;
use lasegue_platform::http::Health;
use lasegue_platform::signed::EventKeys;

use crate::data_folder;
use crate::secrets::Secrets;
use crate::settings::{Nats, Postgres, Servers, Settings};

/// How often a start asks NATS, with growing pauses, before it goes on without it: about 5 seconds.
const TRIES: usize = 3;
/// The longest pause between two of them.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A bus and databases.
#[derive(Debug)]
pub(crate) struct Wiring {
    pub(crate) bus: Arc<dyn Bus>,
    /// What the services sign with; nothing in one process.
    pub(crate) keys: Arc<EventKeys>,
    pub(crate) databases: Databases,
    /// Whether each service brings its own database up to date: nobody else can, embedded.
    pub(crate) migrate: bool,
    /// What takes in events that other processes hand over, and where it listens.
    pub(crate) direct: Option<(DirectServer, SocketAddr)>,
    /// Held as long as the process lives, so that no other uses the same folder.
    pub(crate) folder: Option<data_folder::Held>,
}

impl Wiring {
    /// For `services`, as `settings` says.
    ///
    /// # Errors
    /// When the folder is in use, a secret is missing, or no server answers.
    pub(crate) async fn of(
        settings: &Settings,
        services: &[Service],
        clock: &SharedClock,
        health: &Health,
    ) -> anyhow::Result<Self> {
        match settings.servers()? {
            None => Self::embedded(&settings.data, clock).await,
            Some(servers) => Self::apart(&servers, settings, services, clock, health).await,
        }
    }

    async fn embedded(folder: &Path, clock: &SharedClock) -> anyhow::Result<Self> {
        let held = data_folder::Held::take(folder)?;
        data_folder::is_complete(folder)?;
        data_folder::still_has_all(folder).await?;
        let bus = Arc::new(EmbeddedBus::new(clock.clone()));
        let (keys, databases) = (Arc::default(), Databases::Folder(folder.to_owned()));
        Ok(Self { bus, keys, databases, migrate: true, direct: None, folder: Some(held) })
    }

    async fn apart(
        servers: &Servers<'_>,
        settings: &Settings,
        services: &[Service],
        clock: &SharedClock,
        health: &Health,
    ) -> anyhow::Result<Self> {
        let secrets = settings.secrets();
        let databases = databases(servers.postgres, &secrets, services)?;
        let keys = Arc::new(secrets.event_keys(services)?);
        let queue = Arc::new(connect(servers.nats, &secrets, &keys, services, clock).await?);
        let bus = Arc::new(settings.direct.beside(queue, services, &secrets, clock)?);
        for service in services.iter().copied() {
            let bus = bus.clone();
            health.watch(format!("{service} bus"), move || {
                let away = "NATS is away: what is live is handed over directly, the rest waits".to_owned();
                let away = bus.is_away(service).then_some(away);
                let wrong = || bus.compared(service).into_iter().find_map(|compared| compared.wrong);
                std::future::ready(away.or_else(wrong).map_or(Ok(()), Err))
            });
        }
        let direct = (!services.is_empty()).then(|| (bus.server(), settings.direct.listen));
        Ok(Self { bus, keys, databases, migrate: false, direct, folder: None })
    }
}

/// The addresses of the databases of `services`, each with its own role and password.
///
/// # Errors
/// When the address is none, or a password is missing.
pub(crate) fn databases(postgres: &Postgres, secrets: &Secrets, services: &[Service]) -> anyhow::Result<Databases> {
    let address = |service: &Service| Ok((*service, postgres.address(*service, &secrets.postgres(*service)?)?));
    Ok(Databases::Postgres(services.iter().map(address).collect::<anyhow::Result<_>>()?))
}

/// Connects as each of `services`, patiently: the server may be starting as well. When it does not come, the process goes on
/// without it until it does.
async fn connect(
    nats: &Nats,
    secrets: &Secrets,
    keys: &Arc<EventKeys>,
    services: &[Service],
    clock: &SharedClock,
) -> anyhow::Result<NatsBus> {
    let passwords = services.iter().map(|service| Ok((*service, secrets.nats(*service)?)));
    let config = NatsConfig {
        url: nats.url.clone(),
        passwords: passwords.collect::<anyhow::Result<_>>()?,
        replicas: nats.replicas,
        max_stream_bytes: nats.max_stream_bytes,
        keys: keys.clone(),
    };
    let connected = (|| NatsBus::connect(config.clone(), services, clock))
        .retry(ExponentialBuilder::default().with_max_times(TRIES).with_max_delay(LONGEST_PAUSE))
        .when(|error| matches!(error, BusError::Refused(_)))
        .notify(|error, pause| tracing::warn!(error = lasegue_platform::chain(error), ?pause, "NATS is asked again"))
        .await;
    match connected {
        Err(error @ BusError::Refused(_)) => {
            tracing::error!(error = lasegue_platform::chain(&error), "NATS is away: the process starts without it");
            Ok(NatsBus::connect_later(config, services, clock).await?)
        }
        connected => Ok(connected?),
    }
}
