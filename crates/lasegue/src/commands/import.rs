//! `lasegue import`: whole records into a running installation, on the bulk lane.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use backon::{ExponentialBuilder, Retryable};
use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lasegue_platform::auth::{self, Identity, Role, SigningKey};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::tls;
use serde_json::Value;

/// Records sent in one request.
const CHUNK: usize = 100;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 16 << 20;
/// The exit status when records were refused.
const REFUSED: u8 = 2;

/// Import records into a running installation: one JSON record a line, or one JSON array.
///
/// Running it again changes nothing, so an import that broke off is simply run again.
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
    /// The folder whose key makes the token.
    #[arg(long, value_name = "DIR", default_value = "lasegue-data")]
    data: PathBuf,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tls::install();
    let token = match &args.token {
        Some(token) => token.clone(),
        None => own_token(&args)?,
    };
    let mut import = Import {
        http: reqwest::Client::builder().timeout(Duration::from_mins(2)).build()?,
        url: format!("{}/api/v1/imports", args.url.trim_end_matches('/')),
        token,
        progress: progress(&args)?,
        counts: Counts::default(),
    };
    let mut chunk = Vec::with_capacity(CHUNK);
    for record in records(&args.file)? {
        chunk.push(record?);
        if chunk.len() == CHUNK {
            import.send(std::mem::take(&mut chunk)).await?;
        }
    }
    import.send(chunk).await?;
    import.progress.finish_and_clear();
    Ok(import.counts.report())
}

/// A record with its line, or its place in the array.
struct Numbered {
    number: usize,
    text: String,
}

struct Import {
    http: reqwest::Client,
    url: String,
    token: String,
    progress: ProgressBar,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    known: usize,
    refused: usize,
}

impl Import {
    async fn send(&mut self, chunk: Vec<Numbered>) -> anyhow::Result<()> {
        if chunk.is_empty() {
            return Ok(());
        }
        let body: String = chunk.iter().map(|record| record.text.clone() + "\n").collect();
        let attempt = || async {
            let request = self.http.post(&self.url).bearer_auth(&self.token).body(body.clone());
            request.send().await?.error_for_status()?.text().await
        };
        let lasting = |error: &reqwest::Error| error.status().is_none_or(|status| status.is_server_error());
        let answer = attempt.retry(ExponentialBuilder::default().with_max_times(5)).when(lasting).await;
        let answer = answer.with_context(|| {
            format!("the import stopped at record {}: run it again, what was taken stays", chunk[0].number)
        })?;
        let outcomes: Vec<&str> = answer.lines().collect();
        if outcomes.len() != chunk.len() {
            bail!("the server answered {} of {} records: run it again", outcomes.len(), chunk.len());
        }
        for (record, outcome) in chunk.iter().zip(outcomes) {
            self.count(record, &serde_json::from_str(outcome).context("the server's answer is not understood")?);
        }
        Ok(())
    }

    fn count(&mut self, record: &Numbered, outcome: &Value) {
        match outcome["outcome"].as_str() {
            Some("accepted") => self.counts.accepted += 1,
            Some("known") => self.counts.known += 1,
            _ => {
                self.counts.refused += 1;
                self.progress.suspend(|| complain(record.number, outcome));
            }
        }
        self.progress.inc(1);
    }
}

fn complain(number: usize, outcome: &Value) {
    eprintln!("record {number} is refused:");
    for fault in outcome["faults"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let pointer = fault["pointer"].as_str().filter(|pointer| !pointer.is_empty()).unwrap_or("/");
        eprintln!("  {pointer}: {}", fault["reason"].as_str().unwrap_or_default());
    }
}

impl Counts {
    fn report(&self) -> ExitCode {
        println!("{} records taken, {} known already, {} refused.", self.accepted, self.known, self.refused);
        if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) }
    }
}

/// The records of a file, one after the other: lines, or the elements of an array.
fn records(file: &PathBuf) -> anyhow::Result<Box<dyn Iterator<Item = anyhow::Result<Numbered>>>> {
    let mut input: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).with_context(|| format!("{} cannot be read", file.display()))?))
    };
    let begins = input.fill_buf()?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    if begins == Some(b'[') {
        let array: Vec<Value> = serde_json::from_reader(input).context("the file is not a JSON array")?;
        let numbered = |(index, value): (usize, Value)| Ok(Numbered { number: index + 1, text: value.to_string() });
        return Ok(Box::new(array.into_iter().enumerate().map(numbered)));
    }
    let lines = input.lines().enumerate().filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
    Ok(Box::new(lines.map(|(index, line)| {
        let (number, text) = (index + 1, line.with_context(|| format!("line {} cannot be read", index + 1))?);
        if text.len() > LONGEST_LINE {
            bail!("line {number} is longer than {LONGEST_LINE} bytes: no record is");
        }
        Ok(Numbered { number, text })
    })))
}

fn own_token(args: &Args) -> anyhow::Result<String> {
    let random = SystemRandom::shared();
    let key = SigningKey::load_or_create(&args.data, &*random)?;
    let now = SystemClock.now();
    let identity = Identity { subject: "import".to_owned(), role: Role::System };
    Ok(auth::issue(&key, &identity, random.id(now), now, now + TimeDelta::hours(12))?)
}

/// A bar on a terminal, nothing elsewhere.
fn progress(args: &Args) -> anyhow::Result<ProgressBar> {
    let bytes = (args.file.as_os_str() != "-").then(|| File::open(&args.file).map(BufReader::new));
    let total = match bytes {
        Some(file) if io::stderr().is_terminal() => file.map(|file| file.lines().count() as u64).ok(),
        _ => None,
    };
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} records, {per_sec}, {eta} left")?);
    Ok(bar)
}
