//! `lasegue protocol`: reading, checking, comparing and trying protocol files, and changing the one that decides.

mod change;

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use lasegue_protocol::backtest::{self, Difference, Summary};
use lasegue_protocol::record::Record;
use lasegue_protocol::stream::{Raw, Splitter};
use lasegue_protocol::{Protocol, cases, diff, guide};
use rayon::prelude::*;

use super::caller::Target;
use super::evaluate::load_protocol;
use crate::plain::plain;
use crate::terminal::tell;
use crate::wait_for;

/// Exit status when something was found wrong.
const REFUSED: u8 = 2;
const READ_BYTES: usize = 1024 * 1024;

/// Work with protocol files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a file: names, types, bounds, citations, and that no emergency can be muted
    Check {
        /// The protocol file
        file: PathBuf,
    },
    /// Print a protocol for reading, by section, with its citations
    Show {
        /// The protocol file; the built-in protocol when left out
        file: Option<PathBuf>,
    },
    /// Tell what changes clinically from one file to another
    Diff {
        /// The file in use
        old: PathBuf,
        /// The changed file
        new: PathBuf,
    },
    /// Try worked cases
    Test {
        /// The protocol file
        file: PathBuf,
        /// A folder of cases, or one case
        cases: PathBuf,
    },
    /// Compare a changed protocol with the built-in one, or with another, over past records
    Backtest {
        /// The changed protocol file
        file: PathBuf,
        /// Records: one, an array, or one a line
        records: PathBuf,
        /// The protocol file in use; the built-in protocol when left out
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Store a changed protocol in a running installation, for somebody else to activate
    Bring {
        /// The changed protocol file
        file: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// Make a stored protocol the one that decides, after a backtest over past records
    Activate(change::Activation),
}

/// Runs one of the commands; the exit status is 2 when something is wrong with what was checked.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Check { file } => check(file),
        Command::Show { file } => show(file.as_deref()),
        Command::Diff { old, new } => compare(old, new),
        Command::Test { file, cases } => test(file, cases),
        Command::Backtest { file, records, against } => backtest(file, records, against.as_deref()),
        Command::Bring { file, target } => wait_for(change::bring(file, target)),
        Command::Activate(args) => wait_for(change::activate(args)),
    }
}

fn check(file: &Path) -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    match Protocol::load(&text) {
        Ok(protocol) => {
            let reference = protocol.reference();
            tell!("{} {} is sound, sha256 {}", reference.id, reference.version, reference.sha256)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            for fault in faults {
                eprintln!("{}, {fault}", file.display());
            }
            Ok(ExitCode::from(REFUSED))
        }
    }
}

fn show(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let loaded = file.map(load_protocol).transpose()?;
    tell!("{}", guide::markdown(loaded.as_ref().unwrap_or_else(|| Protocol::embedded())).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn compare(old: &Path, new: &Path) -> anyhow::Result<ExitCode> {
    let changes = diff::changes(&load_protocol(old)?, &load_protocol(new)?);
    if changes.is_empty() {
        tell!("nothing changes clinically")?;
    }
    for change in changes {
        tell!("{change}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn test(file: &Path, folder: &Path) -> anyhow::Result<ExitCode> {
    let protocol = load_protocol(file)?;
    let mut failed = 0;
    let paths = case_files(folder)?;
    for path in &paths {
        let case = serde_json::from_str(&fs::read_to_string(path)?)
            .with_context(|| format!("{} is no case in JSON", path.display()))?;
        let mistakes = cases::mistakes(&protocol, &case);
        failed += usize::from(!mistakes.is_empty());
        for mistake in mistakes {
            tell!("{}: {mistake}", path.display())?;
        }
    }
    tell!("{} of {} cases hold", paths.len() - failed, paths.len())?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

fn case_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    anyhow::ensure!(!paths.is_empty(), "{} has no case (*.json)", folder.display());
    Ok(paths)
}

fn backtest(file: &Path, records: &Path, against: Option<&Path>) -> anyhow::Result<ExitCode> {
    let new = load_protocol(file)?;
    let loaded = against.map(load_protocol).transpose()?;
    let old = loaded.as_ref().unwrap_or_else(|| Protocol::embedded());
    let (summary, refused) = compare_records(records, old, &new)?;
    tell!("{}", summary.to_string().trim_end())?;
    Ok(if refused { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS })
}

/// Compares two protocols over a file of records; true when a record could not be read.
fn compare_records(records: &Path, old: &Protocol, new: &Protocol) -> anyhow::Result<(Summary, bool)> {
    let mut summary = Summary::default();
    let mut refused = false;
    each_batch(records, |batch| {
        let compared: Vec<_> = batch.into_par_iter().map(|raw| (raw.line, tried(old, new, &raw))).collect();
        for (line, outcome) in compared {
            match outcome {
                Ok((name, difference)) => summary.add(&name, difference),
                Err(reason) => {
                    refused = true;
                    eprintln!("line {line}: {}", plain(&reason));
                }
            }
        }
    })?;
    Ok((summary, refused))
}

/// Compares one record under a name that tells it apart and says nothing of the patient.
fn tried(old: &Protocol, new: &Protocol, raw: &Raw) -> Result<(String, Difference), String> {
    let told = |faults: Vec<lasegue_protocol::record::Fault>| {
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    raw.too_long().map_or(Ok(()), |fault| Err(told(vec![fault])))?;
    let record = Record::parse_slice(&raw.json).map_err(told)?;
    let difference = backtest::compare(old, new, &record).map_err(|error| error.to_string())?;
    Ok((format!("record {} (line {})", raw.number, raw.line), difference))
}

fn each_batch(path: &Path, mut take: impl FnMut(Vec<Raw>)) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let mut input = BufReader::new(file);
    let mut splitter = Splitter::default();
    let mut block = vec![0; READ_BYTES];
    loop {
        let read = input.read(&mut block).context("the records cannot be read")?;
        if read == 0 {
            break;
        }
        take(splitter.push(&block[..read]));
    }
    take(splitter.finish().into_iter().collect());
    Ok(())
}
