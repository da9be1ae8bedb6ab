//! `lasegue audit list`: the rows themselves.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use lasegue_platform::audit::Filter;

use super::{Books, Place};

/// Exit status when a service has older rows than were printed.
const CUT: u8 = 2;

/// The most rows of each service.
const MOST: u64 = 100_000;

/// Print the latest rows as JSON lines, service after service, the oldest first. They hold old and new values of what was
/// changed, patients' too: keep what you print like a record. The exit status is 2 when a service has older rows.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Only what was written since this instant, like 2026-01-21T09:00:00Z.
    #[arg(long)]
    since: Option<DateTime<Utc>>,
    /// Only what was done with tokens of this name.
    #[arg(long)]
    subject: Option<String>,
    /// Only what is about this id.
    #[arg(long)]
    object: Option<String>,
    /// Rows of each service at most.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=MOST))]
    limit: u64,
}

pub(super) async fn run(args: Args, environment: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    let Books { books, .. } = args.place.books(environment).await?;
    let filter = Filter { since: args.since, subject: args.subject, object: args.object };
    let (mut out, mut exit) = (io::stdout().lock(), ExitCode::SUCCESS);
    for (service, book) in books {
        let rows = book.list(&filter, args.limit + 1).await;
        let rows = rows.with_context(|| format!("the audit of {service} cannot be read"))?;
        let too_many = (rows.len() as u64).saturating_sub(args.limit);
        for row in rows.iter().skip(usize::try_from(too_many)?) {
            writeln!(out, "{}", row.shown(service.name()))?;
        }
        if too_many > 0 {
            eprintln!("{service} has older rows than these {}: a greater --limit prints them", args.limit);
            exit = ExitCode::from(CUT);
        }
        book.close().await?;
    }
    Ok(exit)
}
