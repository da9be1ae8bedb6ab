//! `lasegue secrets`: the keys and passwords of the processes of an installation.

use std::path::PathBuf;
use std::process::ExitCode;

use lasegue_platform::random::SystemRandom;

use crate::secrets;
use crate::terminal::say;

/// Make every key and password, in one folder for each process with what that one may know. In `token` is what makes tokens,
/// in `tokens` what every process reads of them.
///
/// What is there already is never changed, but for who may read it: its owner alone. The token key of a former version goes
/// once `lasegue token rotate` has replaced it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder, made when absent. Keep others away from it.
    folder: PathBuf,
    /// The number of the account that the processes of Lasègue run under in their containers, which then owns their
    /// folders. Those of nats and postgres stay with whoever runs this.
    #[arg(long, value_name = "UID")]
    owner: Option<u32>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    secrets::make(&args.folder, args.owner, &SystemRandom)?;
    say!("The secrets are in {}.", args.folder.display());
    Ok(ExitCode::SUCCESS)
}
