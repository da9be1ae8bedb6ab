//! `lasegue up`: everything in one process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use lasegue_platform::auth::{self, Identity, Role, SigningKey};
use lasegue_platform::clock::{SharedClock, SystemClock};
use lasegue_platform::lifecycle::{Lifecycle, Stage};
use lasegue_platform::random::{SharedRandom, SystemRandom};
use lasegue_platform::{config, http, telemetry, tls};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::demo;
use crate::process::Process;
use crate::settings::Settings;

/// How long each stage of the end may take.
const DRAIN: Duration = Duration::from_secs(10);

/// Run every service in this process, with databases of its own and no server beside it.
///
/// Without a configuration file nobody is on call: see docs/paging.md for the few lines that change that.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of databases and keys, made when absent [default: lasegue-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The configuration file (TOML); LASEGUE_ variables stand over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Fill a clinic with synthetic patients and show what happens to them. In a folder that is removed afterwards,
    /// unless --data names one.
    #[arg(long)]
    demo: bool,
}

pub(crate) async fn run(args: Args, environment: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    tls::install();
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let started = clock.now();
    let mut settings: Settings = config::load(args.config.as_deref(), environment)?;
    settings.data = args.data.clone().unwrap_or(settings.data);
    settings.http.listen = args.listen.unwrap_or(settings.http.listen);
    if args.demo && args.config.is_none() {
        "warn".clone_into(&mut settings.log.filter);
    }
    telemetry::start_logging(&settings.log.filter, settings.log.json)?;
    telemetry::start_metrics()?;
    let listener = listen(settings.http.listen).await?;
    let address = listener.local_addr()?;
    let demo = if args.demo { Some(Demo::prepare(&args, &mut settings, address, &clock).await?) } else { None };
    let key = SigningKey::load_or_create(&settings.data, &*random)?;
    let process = Process::start(&settings, &key, clock.clone(), random.clone()).await?;
    let lifecycle = process.lifecycle.clone();
    let router = process.router.clone();
    lifecycle.spawn(Stage::Serve, "http", move |stop| http::serve(listener, router, stop));
    println!("Lasègue is ready on http://{address} after {} ms.", (clock.now() - started).num_milliseconds());
    println!("Data: {}. Ctrl-C ends it in good order.\n", settings.data.display());
    if let Some(demo) = demo {
        demo.start(&lifecycle, &key, clock, &random)?;
    }
    let by_itself = end(&lifecycle).await?;
    println!("\nFinishing what is under way ...");
    let clean = lifecycle.drain(DRAIN).await && !by_itself;
    println!("{}", if clean { "Ended in good order." } else { "Ended, but not in good order: see the log." });
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let taken = || format!("{address} cannot be listened on: give another address with --listen");
    TcpListener::bind(address).await.with_context(taken)
}

/// Waits for Ctrl-C, a termination signal, or a part that ends by itself: then true.
async fn end(lifecycle: &Lifecycle) -> anyhow::Result<bool> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| false)?,
        _ = terminate.recv() => false,
        () = lifecycle.broken() => true,
    })
}

/// The demo's own parts: its pager, and a folder that goes when it ends.
struct Demo {
    pager: demo::Pager,
    folder: Option<tempfile::TempDir>,
    url: String,
}

impl Demo {
    async fn prepare(
        args: &Args,
        settings: &mut Settings,
        address: SocketAddr,
        clock: &SharedClock,
    ) -> anyhow::Result<Self> {
        println!("Lasègue demo: a clinic of synthetic patients. Nobody in it is real.\n");
        let url = format!("http://{address}");
        let pager = demo::Pager::start(clock.clone()).await?;
        if args.config.is_none() {
            settings.take_on_call(demo::on_call(&pager, &url)?);
        }
        let folder =
            if args.data.is_none() { Some(tempfile::tempdir().context("no folder for the demo")?) } else { None };
        if let Some(folder) = &folder {
            folder.path().clone_into(&mut settings.data);
        }
        Ok(Self { pager, folder, url })
    }

    fn start(
        self,
        lifecycle: &Lifecycle,
        key: &SigningKey,
        clock: SharedClock,
        random: &SharedRandom,
    ) -> anyhow::Result<()> {
        let now = clock.now();
        let token = |subject: &str, role| {
            let identity = Identity { subject: subject.to_owned(), role };
            auth::issue(key, &identity, random.id(now), now, now + TimeDelta::days(1))
        };
        let tokens =
            demo::Tokens { system: token("demo", Role::System)?, clinician: token("consultant-a", Role::Clinician)? };
        let Self { pager, folder, url } = self;
        if let Some(folder) = folder {
            lifecycle.on_close("demo folder", move || Box::pin(async move { drop(folder) }));
        }
        lifecycle.spawn(Stage::Serve, "demo", move |stop| async move {
            if let Err(error) = demo::run(url, tokens, pager, clock, stop.clone()).await {
                eprintln!("the demo cannot go on: {error:#}");
                stop.cancelled().await;
            }
        });
        Ok(())
    }
}
