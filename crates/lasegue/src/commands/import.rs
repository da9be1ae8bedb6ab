//! `lasegue import`: whole records into a running installation, on the bulk lane.
//!
//! Only one chunk of records is in memory at a time. What the server has taken stays taken, so an import that broke off
//! is simply run again.

mod input;
mod sender;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lasegue_platform::auth::{self, Identity, Role, SigningKey};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::tls;
use lasegue_protocol::stream::Raw;

use self::input::Chunks;
use self::sender::{Outcome, Sender};

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
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A token of the role system [default: made with the key of --data].
    #[arg(long, env = "LASEGUE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The folder with the installation's token key: the data folder of `lasegue up`, or the secrets of a role.
    #[arg(long, value_name = "DIR", env = "LASEGUE_SECRETS", default_value = "lasegue-data")]
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
        let stopped = || {
            format!(
                "the import stopped before record {}; what was taken stays, and the same command goes on",
                chunk[0].number
            )
        };
        let outcomes = sender.send(&chunk).await.with_context(stopped)?;
        for (record, outcome) in chunk.iter().zip(outcomes) {
            tally.count(record, outcome, &progress);
        }
        progress.set_position(chunks.bytes_read());
        progress.set_message(tally.to_string());
    }
    progress.finish_and_clear();
    println!("{tally}");
    Ok(if tally.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
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
            Outcome::Refused { faults } => {
                self.refused += 1;
                progress.suspend(|| {
                    for fault in faults {
                        eprintln!("record {} (line {}): {fault}", record.number, record.line);
                    }
                });
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} records taken, {} known already, {} refused", self.taken, self.known, self.refused)
    }
}

fn own_token(args: &Args) -> anyhow::Result<String> {
    let folder = args.data.display();
    ensure!(
        args.data.is_dir(),
        "there is no data folder {folder}: name the installation's with --data, or give --token"
    );
    let random = SystemRandom::shared();
    let key = SigningKey::load_or_create(&args.data, &*random)?;
    let now = SystemClock.now();
    let identity = Identity { subject: "import".to_owned(), role: Role::System };
    Ok(auth::issue(&key, &identity, random.id(now), now, now + TimeDelta::hours(TOKEN_HOURS))?)
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
