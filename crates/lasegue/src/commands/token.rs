//! `lasegue token`: bearer tokens for calling the interface, and what becomes of them.

mod manage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;
use clap::Subcommand;
use lasegue_platform::auth::{Folders, Identity, Issuer, Role};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::random::SystemRandom;
use lasegue_values::Person;

use crate::terminal::tell;
use crate::tokens;

/// Print a bearer token, or list the tokens there are, take some back, and replace the key that signs them.
///
/// Whoever can read the private half of the key can make tokens, so keep its folder to the account that makes them.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// clinician, coordinator, protocol-owner, auditor, operator or system.
    #[arg(long, required = true)]
    role: Option<Role>,
    /// The name that is written into what the caller signs. A person's token needs one; a system's is `system` without.
    #[arg(long, value_name = "NAME", value_parser = person)]
    subject: Option<Person>,
    /// How many hours it is valid: 24 at most, a system's 2160.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=2_160))]
    hours: i64,
    #[command(flatten)]
    place: Place,
}

/// What else is done with tokens.
#[derive(Debug, Subcommand)]
enum Action {
    List(manage::List),
    Revoke(manage::Revoke),
    Rotate(manage::Rotate),
}

/// Where tokens are made.
#[derive(Debug, clap::Args)]
struct Place {
    /// The folder with the private half of the key: the data folder of `lasegue up`, or `token` in the secrets.
    #[arg(long, value_name = "DIR", env = "LASEGUE_SECRETS", default_value = "lasegue-data")]
    data: PathBuf,
    /// The folder with the public half, which every role reads [default: `tokens` in --data].
    #[arg(long, value_name = "DIR", env = "LASEGUE_TOKENS")]
    tokens: Option<PathBuf>,
}

impl Place {
    fn issuer(self) -> anyhow::Result<Issuer> {
        let Folders { private, public } = Folders::of_data(&self.data);
        tokens::issuer_that_is_there(&Folders { private, public: self.tokens.unwrap_or(public) }, &SystemRandom)
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Some(Action::List(args)) => args.run()?,
        Some(Action::Revoke(args)) => args.run()?,
        Some(Action::Rotate(args)) => args.run().await?,
        None => make(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn make(args: Args) -> anyhow::Result<()> {
    let role = args.role.context("say with --role what the token is for")?;
    let (life, longest) = (TimeDelta::hours(args.hours), role.longest_life());
    ensure!(life <= longest, "the token of a {} is valid for {} hours at most", role.name(), longest.num_hours());
    let identity = Identity { subject: subject(role, args.subject)?, role };
    let now = SystemClock.now();
    tell!("{}", args.place.issuer()?.issue(&identity, &SystemRandom, now, now + life)?)?;
    Ok(())
}

fn person(text: &str) -> Result<Person, String> {
    Person::parse(text).map_err(|unfit| format!("a name {unfit}"))
}

fn subject(role: Role, name: Option<Person>) -> anyhow::Result<String> {
    match name {
        Some(name) => Ok(name.to_string()),
        None if role.is_for_people() => {
            bail!("each {} signs by name: say with --subject whose token this is", role.name())
        }
        None => Ok(role.name().to_owned()),
    }
}
