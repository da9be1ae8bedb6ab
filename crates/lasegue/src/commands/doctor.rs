//! `lasegue doctor`: whether the databases of a data folder are whole.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lasegue_contracts::Service;
use lasegue_platform::store::backup::examine;

use crate::data_folder::{Manifest, database, is_present, is_there};
use crate::terminal::tell;

/// The exit status when something is damaged.
const DAMAGED: u8 = 2;

/// Look at every page of the databases of `lasegue up`, which may run meanwhile; the exit status is 2 when one is damaged.
///
/// Of a backup every file is compared with what was written as well.
///
/// Run it as the user that runs `lasegue up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data folder of `lasegue up`.
    #[arg(long, value_name = "DIR", default_value = "lasegue-data")]
    data: PathBuf,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    is_there(&args.data)?;
    // What nobody could be told does not end the looking.
    let (mut whole, mut told) = (true, Ok(()));
    Service::ALL.into_iter().try_for_each(|service| is_present(&database(&args.data, service)))?;
    let backup = Manifest::find(&args.data)?;
    for service in Service::ALL {
        match look_at(service, &args.data, backup.as_ref()).await {
            Ok(rows) => told = told.and(tell!("{service}: whole, {rows} rows")),
            Err(error) => {
                whole = false;
                told = told.and(tell!("{service}: {error:#}"));
            }
        }
    }
    if let Some(Err(error)) = backup.map(|backup| backup.check_tokens(&args.data)) {
        whole = false;
        told = told.and(tell!("tokens: {error:#}"));
    }
    if !whole {
        return Ok(ExitCode::from(DAMAGED));
    }
    told?;
    Ok(ExitCode::SUCCESS)
}

/// The rows of a database that is whole and, in a backup, as it was written.
async fn look_at(service: Service, folder: &Path, backup: Option<&Manifest>) -> anyhow::Result<i64> {
    let tables = examine(service, &database(folder, service)).await?;
    if let Some(backup) = backup {
        backup.check(folder, service).await?;
    }
    Ok(tables.values().sum())
}
