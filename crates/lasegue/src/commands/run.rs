//! `lasegue run`: some roles in this process, the others in processes of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::{config, telemetry, tls};

use crate::process::{Process, listen};
use crate::roles::{Role, Roles};
use crate::settings::Settings;
use crate::settings::written::socket;

/// Run one role or several of them in this process. The roles meet over NATS and keep their data in PostgreSQL.
///
/// `lasegue migrate` comes first. deploy/ holds a Compose file that does all of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What this process does.
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<Role>,
    /// The configuration file (TOML); LASEGUE_ variables stand over it.
    #[arg(long, value_name = "FILE", env = "LASEGUE_CONFIG")]
    config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", value_parser = socket)]
    listen: Option<SocketAddr>,
    /// Start although nobody can be paged.
    #[arg(long)]
    without_contacts: bool,
}

pub(crate) async fn run(args: Args, environment: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    tls::install();
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let mut settings: Settings = config::load(args.config.as_deref(), environment)?;
    settings.without_contacts(args.without_contacts);
    settings.http.listen = args.listen.unwrap_or(settings.http.listen);
    ensure!(
        settings.servers()?.is_some(),
        "roles in processes of their own meet over NATS and PostgreSQL: name [nats] and [postgres] in the configuration, or run everything in one process with `lasegue up`"
    );
    telemetry::start_logging(&settings.log.filter, settings.log.json)?;
    telemetry::start_metrics()?;
    let roles: Roles = args.roles.into_iter().collect();
    let listener = listen(settings.http.listen).await?;
    let process = Process::start(&settings, &roles, clock, random).await?;
    let address = listener.local_addr()?;
    process.serve(listener);
    tracing::info!(%roles, %address, "ready");
    if !process.until_end(|| tracing::info!("finishing what is under way")).await? {
        bail!("the process ended, but not in good order: see the log");
    }
    tracing::info!("ended in good order");
    Ok(ExitCode::SUCCESS)
}
