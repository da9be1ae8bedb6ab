//! `lasegue import`: whole records into a running installation, on the bulk lane.
//!
//! Only one chunk of records is in memory at a time. What the server has taken stays taken, so an import that broke off
//! is simply run again.

mod input;
mod sender;

use std::fmt::{self, Display};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lasegue_platform::auth::{Folders, Identity, Role};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::tls;
use lasegue_protocol::stream::Raw;

use self::input::Chunks;
use self::sender::{Outcome, Sender, may_pass};
use crate::commands::caller::web_address;
use crate::plain::plain;
use crate::terminal::say;
use crate::tokens;

/// The exit status when records were refused.
const REFUSED: u8 = 2;
/// How long a token made for an import is valid, in hours.
const TOKEN_HOURS: i64 = 24;

/// Import records into a running installation: one JSON record a line, or a JSON array.
///
/// Prints every refused record with its line and what is wrong with it; the exit status is then 2. Running the same import
/// again changes nothing, so one that broke off is simply run again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, or - for standard input.
    file: PathBuf,
    /// Where the installation listens.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_parser = web_address)]
    url: String,
    /// A token of the role system [default: made with the key of --data].
    #[arg(long, env = "LASEGUE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The data folder of `lasegue up`, to make a token in; without one, give --token.
    #[arg(long, value_name = "DIR", default_value = "lasegue-data")]
    data: PathBuf,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tls::install();
    let mut chunks = Chunks::open(&args.file)?;
    let token = args.token.clone().map_or_else(|| own_token(&args), Ok)?;
    let progress = progress(chunks.bytes())?;
    let sender = Sender::new(&args.url, token, progress.clone())?;
    let mut tally = Tally::default();
    while let Some(chunk) = chunks.next()? {
        if let [record] = &chunk[..]
            && let Some(fault) = record.too_long()
        {
            tally.refuse(record, &[fault], &progress);
            continue;
        }
        let outcomes = sender.send(&chunk).await.map_err(|error| stopped(error, &chunk[0]))?;
        for (record, outcome) in chunk.iter().zip(outcomes) {
            tally.count(record, outcome, &progress);
        }
        progress.set_position(chunks.bytes_read());
        progress.set_message(tally.to_string());
    }
    progress.finish_and_clear();
    say!("{tally}");
    Ok(if tally.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// Where the import ended, and whether it is to be run again as it is.
fn stopped(error: anyhow::Error, before: &Raw) -> anyhow::Error {
    let then = if may_pass(&error) { "the same command goes on" } else { "mend what is named here, then run it again" };
    let number = before.number;
    error.context(format!("the import stopped before record {number}; what was taken stays, and {then}"))
}

/// What became of the records so far.
#[derive(Debug, Default)]
struct Tally {
    taken: usize,
    known: usize,
    refused: usize,
}

impl Tally {
    fn count(&mut self, record: &Raw, outcome: Outcome, progress: &ProgressBar) {
        match outcome {
            Outcome::Accepted => self.taken += 1,
            Outcome::Known => self.known += 1,
            Outcome::Refused { faults } => self.refuse(record, &faults, progress),
        }
    }

    fn refuse(&mut self, record: &Raw, faults: &[impl Display], progress: &ProgressBar) {
        self.refused += 1;
        progress.suspend(|| {
            for fault in faults {
                eprintln!("record {} (line {}): {}", record.number, record.line, plain(fault));
            }
        });
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records taken, {} known already, {} refused", self.taken, self.known, self.refused)
    }
}

fn own_token(args: &Args) -> anyhow::Result<String> {
    let random = SystemRandom::shared();
    let issuer = tokens::issuer_that_is_there(&Folders::of_data(&args.data), &*random)
        .context("the import needs a token: give --token, or make one in a data folder")?;
    let now = SystemClock.now();
    let identity = Identity { subject: "import".to_owned(), role: Role::System };
    Ok(issuer.issue(&identity, &*random, now, now + TimeDelta::hours(TOKEN_HOURS))?)
}

/// A bar on a terminal, nothing elsewhere. `bytes` is the length of the input, if it is known.
fn progress(bytes: Option<u64>) -> anyhow::Result<ProgressBar> {
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{bar:40} {percent:>3} %  {msg}  {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {msg}"),
    };
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    Ok(bar.with_style(ProgressStyle::with_template(template)?))
}
