//! `lasegue evaluate`: records in, assessments out, in their order, on all cores.
//!
//! The input is read as a stream; only one batch of records is in memory at a time.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use lasegue_protocol::record::{Fault, Record, SubmissionId, check_record};
use lasegue_protocol::stream::{Raw, Splitter};
use lasegue_protocol::{Protocol, evaluate, report};
use rayon::prelude::*;

use crate::plain::{plain, plain_json, plain_lines};

/// Records evaluated at a time: enough to keep all cores busy, little enough for memory.
const BATCH: usize = 512;
const READ_BYTES: usize = 1024 * 1024;

/// Exit status when some record was refused.
const REFUSED: u8 = 2;

/// Assess the latest visit of a record and print the findings.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A record, an array of records or one record a line; `-` is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// A protocol file to use in place of the built-in one
    #[arg(long, value_name = "FILE")]
    protocol: Option<PathBuf>,
    /// The submission to evaluate in place of the latest
    #[arg(long, value_name = "ID")]
    visit: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line
    Json,
    /// A page to read
    Text,
}

/// What became of one record.
enum Outcome {
    Done(String),
    Refused { number: usize, line: usize, faults: Vec<Fault> },
}

struct Job<'a> {
    protocol: &'a Protocol,
    visit: Option<SubmissionId>,
    format: Format,
}

/// Evaluates every record of the input; the exit status is 2 when one was refused.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let loaded = args.protocol.as_deref().map(load_protocol).transpose()?;
    let job = Job {
        protocol: loaded.as_ref().unwrap_or_else(|| Protocol::embedded()),
        visit: args.visit.clone().map(SubmissionId),
        format: args.format,
    };
    let mut input = open(&args.file)?;
    let mut output = BufWriter::new(io::stdout().lock());
    let tally = pump(&job, &mut input, &mut output)?;
    output.flush().context("the result cannot be written")?;
    if tally.records == 0 {
        eprintln!("the input holds no record; give one, an array of them, or one a line");
    }
    Ok(if tally.refused || tally.records == 0 { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS })
}

/// Loads a protocol file; the error names every fault with its line.
pub(crate) fn load_protocol(path: &Path) -> anyhow::Result<Protocol> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
    Protocol::load(&text).map_err(|faults| {
        let lines: Vec<_> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
        anyhow::anyhow!("{shown} is refused as a protocol:{}", lines.concat())
    })
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    Ok(Box::new(file))
}

/// What came of the whole input.
#[derive(Default)]
struct Tally {
    records: usize,
    refused: bool,
}

fn pump(job: &Job, input: &mut dyn Read, output: &mut dyn Write) -> anyhow::Result<Tally> {
    let mut splitter = Splitter::default();
    let mut block = vec![0; READ_BYTES];
    let mut waiting = Vec::new();
    let mut tally = Tally::default();
    loop {
        let read = input.read(&mut block).context("the input cannot be read")?;
        if read == 0 {
            break;
        }
        waiting.extend(splitter.push(&block[..read]));
        if waiting.len() >= BATCH {
            tally.batch(job, std::mem::take(&mut waiting), output)?;
        }
    }
    waiting.extend(splitter.finish());
    tally.batch(job, waiting, output)?;
    Ok(tally)
}

impl Tally {
    fn batch(&mut self, job: &Job, records: Vec<Raw>, output: &mut dyn Write) -> anyhow::Result<()> {
        self.records += records.len();
        let outcomes: Vec<Outcome> = records.into_par_iter().map(|raw| job.evaluate(&raw)).collect();
        for outcome in outcomes {
            match outcome {
                Outcome::Done(text) => {
                    output.write_all(text.as_bytes()).context("the result cannot be written")?;
                }
                Outcome::Refused { number, line, faults } => {
                    self.refused = true;
                    for fault in faults {
                        eprintln!("record {number} (line {line}): {}", plain(&fault));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Job<'_> {
    fn evaluate(&self, raw: &Raw) -> Outcome {
        self.try_evaluate(raw)
            .map_or_else(|faults| Outcome::Refused { number: raw.number, line: raw.line, faults }, Outcome::Done)
    }

    fn try_evaluate(&self, raw: &Raw) -> Result<String, Vec<Fault>> {
        let whole = |reason: String| vec![Fault { pointer: String::new(), reason }];
        if let Some(fault) = raw.too_long() {
            return Err(vec![fault]);
        }
        let record = Record::parse_slice(&raw.json)?;
        let faults = check_record(&record);
        if !faults.is_empty() {
            return Err(faults);
        }
        let assessment =
            evaluate(self.protocol, &record, self.visit.as_ref()).map_err(|error| whole(error.to_string()))?;
        match self.format {
            Format::Text => Ok(plain_lines(&report::text(self.protocol, &record, &assessment))),
            Format::Json => serde_json::to_string(&assessment)
                .map(|line| plain_json(&line) + "\n")
                .map_err(|error| whole(error.to_string())),
        }
    }
}
