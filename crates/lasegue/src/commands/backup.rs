//! `lasegue backup`: a copy of a data folder, taken while the process works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use lasegue_contracts::Service;
use lasegue_platform::auth::Folders;
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::store::backup::{Copy, back_up};

use crate::data_folder::{self, Manifest};
use crate::terminal::say;

/// Copy the databases and the keys and lists of tokens of `lasegue up` into a new folder, all of one instant. The process may go on.
///
/// Run it as the user that runs `lasegue up`. A copy that was not finished is refused by `lasegue restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that is made: it must be empty or absent.
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// The data folder of `lasegue up`.
    #[arg(long, value_name = "DIR", default_value = "lasegue-data")]
    data: PathBuf,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { to, data } = args;
    data_folder::is_there(&data)?;
    data_folder::is_complete(&data)?;
    ensure!(
        !data_folder::lies_within(&to, &data)?,
        "{} is within the data folder, with which it would be lost: name a folder elsewhere",
        to.display()
    );
    let copies = copies(&data, &to)?;
    let cannot = || format!("the backup cannot be written into {}", to.display());
    fs::create_dir_all(&to).with_context(cannot)?;
    ensure!(
        fs::read_dir(&to).with_context(cannot)?.next().is_none(),
        "{} is not empty: name a new folder for each backup",
        to.display()
    );
    let taken_at = SystemClock.now();
    let databases = back_up(&copies).await.context("the backup was not made")?;
    Folders::of_data(&data).copy_into(&Folders::of_data(&to))?;
    let manifest = Manifest::of(&to, taken_at, databases)?;
    manifest.write(&to)?;
    say!("{} rows of {} databases as of {taken_at} are in {}.", manifest.rows(), Service::ALL.len(), to.display());
    Ok(ExitCode::SUCCESS)
}

fn copies(from: &Path, to: &Path) -> anyhow::Result<Vec<Copy>> {
    let copy = |service| {
        let (from, to) = (data_folder::database(from, service), data_folder::database(to, service));
        data_folder::is_present(&from)?;
        Ok(Copy { service, from, to })
    };
    Service::ALL.into_iter().map(copy).collect()
}
