//! What the services of a process stand on: which bus and which databases the configuration names.
//!
//! Without `[nats]` and `[postgres]` both are in the process: the bus in memory, each database a file of the data folder.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use backon::{ExponentialBuilder, Retryable};
use lasegue_contracts::Service;
use lasegue_platform::Databases;
use lasegue_platform::bus::{Bus, BusError, EmbeddedBus, NatsBus, NatsConfig};
use lasegue_platform::clock::SharedClock;
use lasegue_platform::http::Health;

use crate::secrets::Secrets;
use crate::settings::{Nats, Postgres, Servers, Settings};

/// How often a start asks NATS, with growing pauses, before it gives up: about 15 seconds.
const TRIES: usize = 10;
/// The longest pause between two of them.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A bus and databases.
#[derive(Debug)]
pub(crate) struct Wiring {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) databases: Databases,
    /// Whether each service brings its own database up to date: nobody else can, embedded.
    pub(crate) migrate: bool,
    /// Held as long as the process lives, so that no other uses the same folder.
    pub(crate) lock: Option<File>,
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
            None => Self::embedded(&settings.data, clock),
            Some(servers) => Self::apart(&servers, &settings.secrets(), services, clock, health).await,
        }
    }

    fn embedded(folder: &Path, clock: &SharedClock) -> anyhow::Result<Self> {
        let lock = lock(folder)?;
        let bus = Arc::new(EmbeddedBus::new(clock.clone()));
        Ok(Self { bus, databases: Databases::Folder(folder.to_owned()), migrate: true, lock: Some(lock) })
    }

    async fn apart(
        servers: &Servers<'_>,
        secrets: &Secrets,
        services: &[Service],
        clock: &SharedClock,
        health: &Health,
    ) -> anyhow::Result<Self> {
        let databases = databases(servers.postgres, secrets, services)?;
        let bus = Arc::new(connect(servers.nats, secrets, services, clock).await?);
        for service in services.iter().copied() {
            let bus = bus.clone();
            health.watch(format!("{service} bus"), move || {
                let connected = bus.is_connected(service);
                async move { if connected { Ok(()) } else { Err("NATS is away: events wait in the outbox".to_owned()) } }
            });
        }
        Ok(Self { bus, databases, migrate: false, lock: None })
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

/// Connects as each of `services`, patiently: the server may be starting as well.
async fn connect(nats: &Nats, secrets: &Secrets, services: &[Service], clock: &SharedClock) -> anyhow::Result<NatsBus> {
    let passwords = services.iter().map(|service| Ok((*service, secrets.nats(*service)?)));
    let config = NatsConfig {
        url: nats.url.clone(),
        passwords: passwords.collect::<anyhow::Result<_>>()?,
        replicas: nats.replicas,
        max_stream_bytes: nats.max_stream_bytes,
    };
    let connected = (|| NatsBus::connect(config.clone(), services, clock))
        .retry(ExponentialBuilder::default().with_max_times(TRIES).with_max_delay(LONGEST_PAUSE))
        .when(|error| matches!(error, BusError::Refused(_)))
        .notify(|error, pause| tracing::warn!(%error, ?pause, "NATS is asked again"))
        .await;
    Ok(connected?)
}

/// Takes the folder for this process alone.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let cannot = || format!("the data folder {} cannot be used", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    let file = File::create(folder.join("lock")).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("the data folder {} is in use by another process: stop that one, or give --data", folder.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
    }
}
