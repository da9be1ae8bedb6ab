//! `lasegue restore`: a data folder from a backup.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use lasegue_contracts::Service;
use lasegue_platform::auth::Folders;
use lasegue_platform::clock::{Clock, SystemClock};

use crate::data_folder::{self, Held, Manifest};
use crate::terminal::say;

/// Put a backup into the data folder of `lasegue up`, which must not run.
///
/// Every page and every table of the backup is looked at first. What is in the folder is kept beside it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that `lasegue backup` made.
    #[arg(value_name = "DIR")]
    from: PathBuf,
    /// The data folder of `lasegue up`.
    #[arg(long, value_name = "DIR", default_value = "lasegue-data")]
    data: PathBuf,
    /// Move databases that are in the data folder into a folder in it, `replaced-` and the time, and put the backup in
    /// their place.
    #[arg(long)]
    replace: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { from, data, replace } = args;
    let manifest = Manifest::read(&from)?;
    ensure!(
        !data_folder::lies_within(&data, &from)? && Manifest::find(&data)?.is_none(),
        "{} is a backup or lies in one, which would be spoilt: name the data folder with --data",
        data.display()
    );
    for service in Service::ALL {
        manifest.check(&from, service).await?;
    }
    manifest.check_tokens(&from)?;
    let _held = Held::take(&data)?;
    ensure!(
        replace || Service::ALL.into_iter().all(|service| !data_folder::database(&data, service).exists()),
        "{} holds databases: with --replace they are moved aside and the backup put in their place",
        data.display()
    );
    let mark = data_folder::begin_restoring(&data)?;
    let aside = data.join(format!("replaced-{}", SystemClock.now().format("%Y%m%dT%H%M%S%.3fZ")));
    for service in Service::ALL {
        let cannot = || format!("the {service} database cannot be put into {}", data.display());
        move_aside(&data_folder::database(&data, service), &aside).with_context(cannot)?;
        put(&data_folder::database(&from, service), &data_folder::database(&data, service)).with_context(cannot)?;
    }
    Folders::of_data(&from).copy_into(&Folders::of_data(&data))?;
    mark.end()?;
    say!("{} rows as of {} are in {}.", manifest.rows(), manifest.taken_at(), data.display());
    Ok(ExitCode::SUCCESS)
}

/// Moves `database` and its logs into the folder `aside`.
fn move_aside(database: &Path, aside: &Path) -> std::io::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{end}", database.display()));
        if let Some(name) = file.file_name()
            && file.exists()
        {
            fs::create_dir_all(aside)?;
            fs::rename(&file, aside.join(name))?;
        }
    }
    Ok(())
}

/// Copies a file, whole and on the disk.
fn put(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut copy = fs::File::create(to)?;
    std::io::copy(&mut fs::File::open(from)?, &mut copy)?;
    copy.sync_all()
}
