//! `lasegue sample`: synthetic records to try the other commands with.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use lasegue_platform::clock::{Clock, SystemClock};

use crate::sample;

/// Print synthetic patients, one record a line. Nobody in them is real.
///
/// Try: `lasegue sample --patients 6000 | lasegue evaluate -`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many patients.
    #[arg(long, default_value_t = 200)]
    patients: usize,
    /// The same seed and end give the same patients.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// All visits lie at least eight days before this instant (RFC 3339) [default: now].
    #[arg(long)]
    until: Option<DateTime<Utc>>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let until = args.until.unwrap_or_else(|| SystemClock.now());
    let mut out = BufWriter::new(io::stdout().lock());
    for record in sample::records(args.seed, args.patients, until) {
        serde_json::to_writer(&mut out, &record)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
