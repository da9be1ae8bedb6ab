//! One process with every role: the services on one bus, behind one front door.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use axum::Router;
use lasegue_platform::auth::{SigningKey, Verifier};
use lasegue_platform::bus::EmbeddedBus;
use lasegue_platform::clock::SharedClock;
use lasegue_platform::http::{Front, Health, Limits};
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::random::SharedRandom;
use lasegue_platform::{Base, Databases};

use crate::settings::Settings;

/// A process that was put together; its parts run until the lifecycle drains.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) router: Router,
    pub(crate) lifecycle: Lifecycle,
    /// Held as long as the process lives, so that no other uses the same folder.
    _lock: File,
}

impl Process {
    /// Starts every service in `settings.data`. Receivers start before senders.
    ///
    /// # Errors
    /// When the folder is in use, a database cannot be opened, or the on-call set-up is faulty.
    pub(crate) async fn start(
        settings: &Settings,
        key: &SigningKey,
        clock: SharedClock,
        random: SharedRandom,
    ) -> anyhow::Result<Self> {
        let on_call = settings.on_call().check()?;
        let lock = lock(&settings.data)?;
        let lifecycle = Lifecycle::new(clock.clone());
        let base = Base {
            bus: Arc::new(EmbeddedBus::new(clock.clone())),
            clock: clock.clone(),
            random: random.clone(),
            lifecycle: lifecycle.clone(),
            databases: Databases::Folder(settings.data.clone()),
            health: Health::default(),
            migrate: true,
        };
        let alerting = lasegue_alerting::start(&base, on_call).await.context("alerting does not start")?;
        let routes = lasegue_alerting::http::routes(&alerting)
            .merge(lasegue_scheduling::start(&base).await.context("scheduling does not start")?)
            .merge(lasegue_assessment::start(&base).await.context("assessment does not start")?)
            .merge(lasegue_intake::start(&base).await.context("intake does not start")?)
            .merge(lasegue_console::routes(&base.health));
        let front = Front { verifier: Verifier::new(key), clock, random, limits: Limits::default() };
        Ok(Self { router: front.around(routes, &base.health), lifecycle, _lock: lock })
    }
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
