//! One process: the services of its roles on one bus, behind one HTTP listener.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use lasegue_platform::auth::Verifier;
use lasegue_platform::clock::SharedClock;
use lasegue_platform::direct::DirectServer;
use lasegue_platform::http::{self, Front, Health, Limits, Rooms, Routes};
use lasegue_platform::lifecycle::{Lifecycle, Stage};
use lasegue_platform::random::SharedRandom;
use lasegue_platform::{Base, Opened, files, telemetry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::data_folder::Held;
use crate::roles::{Role, Roles, migrations};
use crate::settings::Settings;
use crate::wiring::Wiring;

/// How long each stage of the end may take.
const DRAIN: Duration = Duration::from_secs(10);

/// A process that was put together; its parts run until it ends.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) lifecycle: Lifecycle,
    router: Router,
    clock: SharedClock,
    rooms: Rooms,
    _folder: Option<Held>,
}

impl Process {
    /// Starts the services of `roles`.
    ///
    /// # Errors
    /// When what they stand on cannot be used, or the configuration is faulty; the error says what to do.
    pub(crate) async fn start(
        settings: &Settings,
        roles: &Roles,
        clock: SharedClock,
        random: SharedRandom,
    ) -> anyhow::Result<Self> {
        let rooms = Rooms::of_files(files::raise_limit());
        let health = Health::default();
        let lifecycle = Lifecycle::new(clock.clone());
        let verifier = verifier(settings, &lifecycle, &health, clock.clone())?;
        let Wiring { bus, keys, databases, migrate, direct, folder } =
            Wiring::of(settings, &roles.services(), &clock, &health).await?;
        let closing = bus.clone();
        let keeping = clock.clone();
        lifecycle.spawn(Stage::Relay, "metrics", move |stop| telemetry::keep_up(keeping, stop));
        lifecycle.on_close("bus", move || Box::pin(async move { closing.close().await }));
        let base = Base {
            bus,
            keys,
            clock: clock.clone(),
            random: random.clone(),
            lifecycle: lifecycle.clone(),
            databases,
            health: health.clone(),
            migrate,
            restorable_for: settings.backup.restorable(),
            opened: Opened::default(),
        };
        let routes = routes(&base, settings, roles, folder.as_ref()).await?;
        if let Some((server, address)) = direct {
            take_directly(&lifecycle, server, address, clock.clone()).await?;
        }
        let front = Front { verifier, clock: clock.clone(), random, limits: Limits::default() };
        let answering = http::named(front.around(routes, &health), &roles.services());
        Ok(Self { router: answering, lifecycle, clock, rooms, _folder: folder })
    }

    /// Answers on `listener` from now on.
    pub(crate) fn serve(&self, listener: TcpListener) {
        let (router, rooms, clock) = (self.router.clone(), self.rooms, self.clock.clone());
        self.lifecycle.spawn(Stage::Serve, "http", move |stop| http::serve(listener, router, rooms, clock, stop));
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

/// Knows whose tokens come in, as long as the process runs.
fn verifier(
    settings: &Settings,
    lifecycle: &Lifecycle,
    health: &Health,
    clock: SharedClock,
) -> anyhow::Result<Verifier> {
    let (verifier, follower) = Verifier::follow(&settings.tokens(), clock)?;
    let state = follower.state();
    health.watch("tokens", move || std::future::ready(state()));
    // Until the last request has its answer.
    lifecycle.spawn(Stage::Work, "tokens", |stop| follower.run(stop));
    Ok(verifier)
}

/// Takes in on `address` what other processes hand over.
async fn take_directly(
    lifecycle: &Lifecycle,
    server: DirectServer,
    address: SocketAddr,
    clock: SharedClock,
) -> anyhow::Result<()> {
    let taken = || format!("{address} cannot be listened on: name another address as `listen` under [direct]");
    let listener = TcpListener::bind(address).await.with_context(taken)?;
    let router = server.into_router();
    lifecycle.spawn(Stage::Serve, "direct", move |stop| http::serve(listener, router, Rooms::PEERS, clock, stop));
    Ok(())
}

/// Starts what `roles` names, receivers before senders, and gives their routes.
async fn routes(base: &Base, settings: &Settings, roles: &Roles, folder: Option<&Held>) -> anyhow::Result<Routes> {
    let mut routes = Routes::new();
    let on_call = if roles.has(Role::Alerting) { Some(settings.on_call().check()?) } else { None };
    if let Some(on_call) = &on_call {
        lasegue_alerting::somebody(on_call).context("alerting does not start")?;
    }
    for service in roles.services() {
        let cannot = || format!("{service} does not start");
        base.open_ahead(service, migrations(service)).await.with_context(cannot)?;
    }
    folder.map(Held::has_all).transpose()?;
    if let Some(on_call) = on_call {
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
        settings.without_contacts(true);
        let (clock, health) = (SystemClock::shared(), Health::default());
        let roles: Roles = [role].into_iter().collect();
        let wiring = Wiring::of(&settings, &roles.services(), &clock, &health).await.expect("an empty folder");
        let base = Base {
            bus: wiring.bus,
            keys: wiring.keys,
            clock: clock.clone(),
            random: SystemRandom::shared(),
            lifecycle: Lifecycle::new(clock),
            databases: wiring.databases,
            health,
            migrate: wiring.migrate,
            restorable_for: settings.backup.restorable(),
            opened: Opened::default(),
        };
        let routes = routes(&base, &settings, &roles, None).await.expect("it starts");
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
