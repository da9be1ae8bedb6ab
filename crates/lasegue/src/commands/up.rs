//! `lasegue up`: everything in one process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use lasegue_platform::auth::{Identity, Issuer, Role};
use lasegue_platform::clock::{SharedClock, SystemClock};
use lasegue_platform::lifecycle::{Lifecycle, Stage};
use lasegue_platform::random::{SharedRandom, SystemRandom};
use lasegue_platform::{config, telemetry, tls};

use crate::data_folder::Manifest;
use crate::process::{Process, listen};
use crate::roles::Roles;
use crate::settings::Settings;
use crate::settings::written::socket;
use crate::terminal::say;
use crate::tokens;
use crate::{data_folder, demo};

/// Run every service in this process, with databases of its own and no server beside it.
///
/// It wants to know who is on call: see docs/paging.md for the few lines of its configuration file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of databases and keys, made when absent [default: lasegue-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", value_parser = socket)]
    listen: Option<SocketAddr>,
    /// The configuration file (TOML); LASEGUE_ variables stand over it.
    #[arg(long, value_name = "FILE", env = "LASEGUE_CONFIG")]
    config: Option<PathBuf>,
    /// Start although nobody can be paged.
    #[arg(long)]
    without_contacts: bool,
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
    ensure!(
        settings.servers()?.is_none(),
        "the configuration names [nats] and [postgres], and `lasegue up` runs without servers: start the roles with `lasegue run`"
    );
    settings.data = args.data.clone().unwrap_or(settings.data);
    ensure!(!settings.data.is_file(), "{} is a file: give a folder with --data", settings.data.display());
    ensure!(
        Manifest::find(&settings.data)?.is_none(),
        "{0} is a backup, which a process that works in it would spoil: `lasegue restore {0} --data DIR` puts it to use",
        settings.data.display()
    );
    settings.without_contacts(args.without_contacts);
    settings.http.listen = args.listen.unwrap_or(settings.http.listen);
    if args.demo && args.config.is_none() {
        "warn".clone_into(&mut settings.log.filter);
    }
    telemetry::start_logging(&settings.log.filter, settings.log.json)?;
    telemetry::start_metrics()?;
    let listener = listen(settings.http.listen).await?;
    let address = listener.local_addr()?;
    let demo = if args.demo { Some(Demo::prepare(&args, &mut settings, address, &clock).await?) } else { None };
    let is_new = !(settings.tokens().are_used() || data_folder::is_one(&settings.data));
    let issuer = tokens::issuer(&settings.tokens(), &*random)?;
    if is_new {
        say!("A new installation in {}.", settings.data.display());
    }
    let demo = demo.map(|demo| demo.with_tokens(&issuer, &clock, &random)).transpose()?;
    // Whoever makes a token or takes one back waits for it.
    drop(issuer);
    let process = Process::start(&settings, &Roles::all(), clock.clone(), random).await?;
    process.serve(listener);
    say!("Lasègue is ready on http://{address} after {} ms.", (clock.now() - started).num_milliseconds());
    say!("Data: {}. Ctrl-C ends it in good order.\n", settings.data.display());
    if let Some((demo, tokens)) = demo {
        demo.start(&process.lifecycle, tokens, clock);
    }
    let clean = process.until_end(|| say!("\nFinishing what is under way ...")).await?;
    say!("{}", if clean { "Ended in good order." } else { "Ended, but not in good order: see the log." });
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
        say!("Lasègue demo: a clinic of synthetic patients. Nobody in it is real.\n");
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

    fn with_tokens(
        self,
        issuer: &Issuer,
        clock: &SharedClock,
        random: &SharedRandom,
    ) -> anyhow::Result<(Self, demo::Tokens)> {
        let now = clock.now();
        let token = |subject: &str, role| {
            let identity = Identity { subject: subject.to_owned(), role };
            issuer.issue(&identity, &**random, now, now + TimeDelta::days(1))
        };
        let tokens =
            demo::Tokens { system: token("demo", Role::System)?, clinician: token("consultant-a", Role::Clinician)? };
        Ok((self, tokens))
    }

    fn start(self, lifecycle: &Lifecycle, tokens: demo::Tokens, clock: SharedClock) {
        let Self { pager, folder, url } = self;
        if let Some(folder) = folder {
            lifecycle.on_close("demo folder", move || Box::pin(async move { drop(folder) }));
        }
        lifecycle.spawn(Stage::Serve, "demo", move |stop| async move {
            if let Err(error) = demo::run(url, tokens, pager, clock, stop.clone()).await {
                say!("the demo cannot go on: {error:#}");
                stop.cancelled().await;
            }
        });
    }
}
