//! `lasegue token`: a bearer token for calling the interface.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::TimeDelta;
use lasegue_platform::auth::{self, Identity, Role, SigningKey};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::random::SystemRandom;

/// Print a bearer token, signed with the key of a data folder.
///
/// Whoever can read the folder can make tokens, so keep it to the account that runs the process.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// clinician, coordinator, protocol-owner, auditor, operator or system.
    #[arg(long)]
    role: Role,
    /// The name that is written into what the caller signs [default: the role's name].
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// How many hours it is valid, at most a year.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=8_784))]
    hours: i64,
    /// The folder with the installation's token key: the data folder of `lasegue up`, or the secrets of a role.
    #[arg(long, value_name = "DIR", env = "LASEGUE_SECRETS", default_value = "lasegue-data")]
    data: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let random = SystemRandom::shared();
    let key = SigningKey::load_or_create(&args.data, &*random)?;
    let subject = args.subject.clone().unwrap_or_else(|| args.role.name().to_owned());
    let now = SystemClock.now();
    let identity = Identity { subject, role: args.role };
    println!("{}", auth::issue(&key, &identity, random.id(now), now, now + TimeDelta::hours(args.hours))?);
    Ok(ExitCode::SUCCESS)
}
