//! `lasegue audit`: who did what, and whether nobody has changed what is written about it.

mod list;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use lasegue_contracts::Service;
use lasegue_platform::audit::Book;
use lasegue_platform::signed::EventKeys;
use lasegue_platform::store::Location;
use lasegue_platform::{Databases, config, tls};
use secrecy::ExposeSecret;

use crate::settings::Settings;
use crate::{data_folder, wiring};

/// Read the audit of every service, which may run meanwhile.
///
/// Of one process run it as the user that runs `lasegue up`; of processes of their own with the secrets of `migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(verify::Args),
    List(list::Args),
}

/// Where the databases are.
#[derive(Debug, clap::Args)]
struct Place {
    /// The data folder of `lasegue up`, in the place of that in the configuration.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file (TOML); LASEGUE_ variables stand over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The books of every service, and what their heads are signed with, where they are.
struct Books {
    books: Vec<(Service, Book)>,
    keys: Option<EventKeys>,
}

pub(crate) async fn run(args: Args, environment: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    tls::install();
    match args.what {
        What::Verify(args) => verify::run(args, environment).await,
        What::List(args) => list::run(args, environment).await,
    }
}

impl Place {
    async fn books(self, environment: Vec<(String, String)>) -> anyhow::Result<Books> {
        let settings: Settings = config::load(self.config.as_deref(), environment)?;
        let (databases, keys) = match settings.servers()?.filter(|_| self.data.is_none()) {
            None => (Databases::Folder(self.data.unwrap_or(settings.data)), None),
            Some(servers) => {
                let secrets = settings.secrets();
                let databases = wiring::databases(servers.postgres, &secrets, &Service::ALL)?;
                (databases, Some(secrets.public_event_keys()?))
            }
        };
        let mut books = Vec::new();
        for service in Service::ALL {
            let location = location(&databases, service)?;
            let cannot = || format!("the audit of {service} cannot be read");
            books.push((service, Book::open(service, &location).await.with_context(cannot)?));
        }
        Ok(Books { books, keys })
    }
}

fn location(databases: &Databases, service: Service) -> anyhow::Result<Location> {
    match databases {
        Databases::Folder(folder) => {
            let file = data_folder::database(folder, service);
            data_folder::is_present(&file)?;
            Ok(Location::Sqlite(file))
        }
        Databases::Postgres(addresses) => {
            let address = addresses.get(&service).with_context(|| format!("there is no database of {service}"))?;
            Ok(Location::Postgres(address.expose_secret().to_owned()))
        }
    }
}
