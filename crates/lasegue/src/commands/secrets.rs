//! `lasegue secrets`: the key and passwords that the processes of an installation share.

use std::path::PathBuf;
use std::process::ExitCode;

use lasegue_platform::random::SystemRandom;

use crate::secrets;

/// Make the token key and every password, in one folder for each process with what that one may know.
///
/// What is there already is never changed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder, made when absent. Keep others away from it.
    folder: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    secrets::make(&args.folder, &SystemRandom)?;
    println!("The secrets are in {}.", args.folder.display());
    Ok(ExitCode::SUCCESS)
}
