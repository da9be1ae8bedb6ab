//! One process: the services of its roles on one bus, behind one HTTP listener.

use std::fs::File;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use lasegue_platform::Base;
use lasegue_platform::auth::{SigningKey, Verifier};
use lasegue_platform::clock::SharedClock;
use lasegue_platform::http::{self, Front, Health, Limits, Routes};
use lasegue_platform::lifecycle::{Lifecycle, Stage};
use lasegue_platform::random::SharedRandom;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::roles::{Role, Roles};
use crate::settings::Settings;
use crate::wiring::Wiring;

/// How long each stage of the end may take.
const DRAIN: Duration = Duration::from_secs(10);

/// A process that was put together; its parts run until it ends.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) lifecycle: Lifecycle,
    router: Router,
    _lock: Option<File>,
}

impl Process {
    /// Starts the services of `roles`.
    ///
    /// # Errors
    /// When what they stand on cannot be used, or the configuration is faulty; the error says what to do.
    pub(crate) async fn start(
        settings: &Settings,
        roles: &Roles,
        key: &SigningKey,
        clock: SharedClock,
        random: SharedRandom,
    ) -> anyhow::Result<Self> {
        let health = Health::default();
        let lifecycle = Lifecycle::new(clock.clone());
        let Wiring { bus, databases, migrate, lock } = Wiring::of(settings, &roles.services(), &clock, &health).await?;
        let closing = bus.clone();
        lifecycle.on_close("bus", move || Box::pin(async move { closing.close().await }));
        let base = Base {
            bus,
            clock: clock.clone(),
            random: random.clone(),
            lifecycle: lifecycle.clone(),
            databases,
            health: health.clone(),
            migrate,
        };
        let routes = routes(&base, settings, roles).await?;
        let front = Front { verifier: Verifier::new(key), clock, random, limits: Limits::default() };
        let answering = http::named(front.around(routes, &health), &roles.services());
        Ok(Self { router: answering, lifecycle, _lock: lock })
    }

    /// Answers on `listener` from now on.
    pub(crate) fn serve(&self, listener: TcpListener) {
        let router = self.router.clone();
        self.lifecycle.spawn(Stage::Serve, "http", move |stop| http::serve(listener, router, stop));
    }

    /// Waits for Ctrl-C, a termination signal, or a part that ends by itself; then drains. False when that part did, or
    /// something had to be left behind.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub(crate) async fn until_end(self, ending: impl FnOnce()) -> anyhow::Result<bool> {
        let mut terminate = signal(SignalKind::terminate())?;
        let by_itself = tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| false)?,
            _ = terminate.recv() => false,
            () = self.lifecycle.broken() => true,
        };
        ending();
        Ok(self.lifecycle.drain(DRAIN).await && !by_itself)
    }
}

/// Starts what `roles` names, receivers before senders, and gives their routes.
async fn routes(base: &Base, settings: &Settings, roles: &Roles) -> anyhow::Result<Routes> {
    let mut routes = Routes::new();
    if roles.has(Role::Alerting) {
        let on_call = settings.on_call().check()?;
        let alerting = lasegue_alerting::start(base, on_call).await.context("alerting does not start")?;
        routes = routes.merge(lasegue_alerting::http::routes(&alerting));
    }
    if roles.has(Role::Scheduling) {
        routes = routes.merge(lasegue_scheduling::start(base).await.context("scheduling does not start")?);
    }
    if roles.has(Role::Assessment) {
        routes = routes.merge(lasegue_assessment::start(base).await.context("assessment does not start")?);
    }
    if roles.has(Role::Intake) {
        routes = routes.merge(lasegue_intake::start(base).await.context("intake does not start")?);
    }
    if roles.has(Role::Web) {
        let remotes = settings.remotes(&roles.elsewhere())?;
        routes =
            routes.merge(lasegue_console::routes(&base.health)).merge(lasegue_console::pass_on(&remotes, &base.health));
    }
    Ok(routes)
}

/// Takes the address.
///
/// # Errors
/// When somebody else has it.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let taken = || format!("{address} cannot be listened on: give another address with --listen");
    TcpListener::bind(address).await.with_context(taken)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lasegue_contracts::Service;
    use lasegue_contracts::routes::ROUTES;
    use lasegue_platform::clock::SystemClock;
    use lasegue_platform::random::SystemRandom;

    use super::*;

    async fn paths_of(role: Role) -> BTreeSet<String> {
        lasegue_platform::tls::install();
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let mut settings = Settings::default();
        folder.path().clone_into(&mut settings.data);
        let (clock, health) = (SystemClock::shared(), Health::default());
        let roles: Roles = [role].into_iter().collect();
        let wiring = Wiring::of(&settings, &roles.services(), &clock, &health).await.expect("an empty folder");
        let base = Base {
            bus: wiring.bus,
            clock: clock.clone(),
            random: SystemRandom::shared(),
            lifecycle: Lifecycle::new(clock),
            databases: wiring.databases,
            health,
            migrate: wiring.migrate,
        };
        let routes = routes(&base, &settings, &roles).await.expect("it starts");
        assert!(base.lifecycle.drain(DRAIN).await);
        routes.paths().clone()
    }

    #[tokio::test]
    async fn the_front_door_knows_every_address_of_every_service() {
        let services = [Role::Intake, Role::Assessment, Role::Scheduling, Role::Alerting];
        for (role, service) in services.into_iter().zip(Service::ALL) {
            let in_table = ROUTES.iter().filter(|(_, answers)| *answers == service);
            let in_table: BTreeSet<_> = in_table.map(|(path, _)| (*path).to_owned()).collect();
            assert_eq!(paths_of(role).await, in_table, "{service}");
        }
    }
}
