//! `lasegue migrate`: brings the databases up to date, before the roles start.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use lasegue_contracts::Service;
use lasegue_platform::store::{Location, Store, StoreError};
use lasegue_platform::{Databases, config, tls};
use secrecy::ExposeSecret;

use crate::roles::migrations;
use crate::settings::Settings;
use crate::terminal::say;
use crate::wiring;

/// Bring every service's PostgreSQL schema up to date. Safe to run again, and beside running roles.
///
/// Each schema is changed under its own service's role. `lasegue up` without PostgreSQL needs none of this.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration file (TOML); LASEGUE_ variables stand over it.
    #[arg(long, value_name = "FILE", env = "LASEGUE_CONFIG")]
    config: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, environment: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    tls::install();
    let settings: Settings = config::load(args.config.as_deref(), environment)?;
    let Some(servers) = settings.servers()? else {
        bail!("the configuration names no [postgres]: `lasegue up` keeps its own databases up to date by itself")
    };
    let databases = wiring::databases(servers.postgres, &settings.secrets(), &Service::ALL)?;
    let Databases::Postgres(addresses) = databases else { bail!("only PostgreSQL is brought up to date here") };
    for (service, address) in addresses {
        let location = Location::Postgres(address.expose_secret().to_owned());
        let lacked = Store::migrate(service, &location, migrations(service)).await;
        match lacked.map_err(|error| failed(service, error))? {
            0 => say!("{service}: up to date"),
            lacked => say!("{service}: {lacked} migrations applied"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(service: Service, error: StoreError) -> anyhow::Error {
    let what = match error {
        StoreError::Unavailable(_) | StoreError::Unknown(_) => {
            format!("the {service} schema could not be looked at or changed: run `lasegue migrate` again")
        }
        _ => format!("the {service} schema is not up to date"),
    };
    anyhow::Error::new(error).context(what)
}
