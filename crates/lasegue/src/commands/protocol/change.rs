//! `lasegue protocol bring` and `activate`: a changed protocol into a running installation, by two people.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use lasegue_protocol::{Protocol, diff};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::commands::caller::{Caller, Target};
use crate::plain::plain;
use crate::terminal::say;

/// The fewest characters that name a protocol.
const SHORTEST: usize = 8;

/// What activating needs.
#[derive(Debug, clap::Args)]
pub(super) struct Activation {
    /// The protocol's hash as `bring` printed it, or its first characters
    sha256: String,
    /// Past records to try it on: one, an array, or one a line
    records: PathBuf,
    /// Activate it. Without this, only what would change is shown.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    target: Target,
}

/// A protocol that the installation keeps.
#[derive(Debug, Deserialize)]
struct Kept {
    sha256: String,
    id: String,
    version: String,
    author: String,
    state: String,
}

/// Stores a protocol file. It decides nothing until somebody else activates it.
pub(super) async fn bring(file: &Path, target: &Target) -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let caller = Caller::new(target)?;
    let kept: Value = caller.ask(caller.post("/protocols").body(text)).await?.json().await?;
    let sha256 = kept["sha256"].as_str().context("the installation names no hash")?;
    say!("stored, sha256 {sha256}");
    say!("Another protocol owner activates it: lasegue protocol activate {} RECORDS", &sha256[..12]);
    Ok(ExitCode::SUCCESS)
}

/// Shows what a stored protocol changes, in words and on past records; with `yes` makes it the one that decides.
pub(super) async fn activate(args: &Activation) -> anyhow::Result<ExitCode> {
    let caller = Caller::new(&args.target)?;
    let kept = caller.kept().await?;
    let new = named(&kept, &args.sha256)?;
    let active = kept.iter().find(|one| one.state == "active").context("no protocol is active")?;
    ensure!(new.sha256 != active.sha256, "this protocol is the active one already");
    let (old, changed) = (caller.text(active).await?, caller.text(new).await?);
    let told = format!(
        "{} {}, brought by {}, in the place of {} {}",
        new.id, new.version, new.author, active.id, active.version
    );
    say!("{}", plain(&told));
    for change in diff::changes(&old, &changed) {
        say!("{change}");
    }
    let (summary, refused) = super::compare_records(&args.records, &old, &changed)?;
    ensure!(!refused, "a record cannot be read: mend or leave it out, so that the backtest is whole");
    let figures = summary.figures().to_string();
    say!("\n{}", figures.trim_end());
    if !args.yes {
        say!("\nNothing was activated. The same command with --yes makes it the one that decides.");
        return Ok(ExitCode::SUCCESS);
    }
    let backtest = json!({ "backtest": figures });
    caller.ask(caller.post(&format!("/protocols/{}/activate", new.sha256)).json(&backtest)).await?;
    say!("\nactive; every episode is judged again, behind all live work");
    say!("Findings that are new only because of the rules page nobody: GET /api/v1/reviews lists them.");
    Ok(ExitCode::SUCCESS)
}

/// The one protocol whose hash begins so.
fn named<'a>(kept: &'a [Kept], sha256: &str) -> anyhow::Result<&'a Kept> {
    ensure!(sha256.len() >= SHORTEST, "name the protocol by {SHORTEST} characters of its hash or more");
    let mut found = kept.iter().filter(|one| one.sha256.starts_with(sha256));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => bail!("several protocols begin with {sha256}: give more of the hash"),
        (None, _) => bail!("no protocol begins with {sha256}: `lasegue protocol bring FILE` stores one"),
    }
}

impl Caller<'_> {
    async fn kept(&self) -> anyhow::Result<Vec<Kept>> {
        let mut told: Value = self.ask(self.get("/protocols")).await?.json().await?;
        serde_json::from_value(told["protocols"].take()).context("the installation lists no protocols")
    }

    async fn text(&self, kept: &Kept) -> anyhow::Result<Protocol> {
        let text = self.ask(self.get(&format!("/protocols/{}", kept.sha256))).await?.text().await?;
        Protocol::load(&text).map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("the installation's protocol {} does not load here: {}", kept.sha256, faults.join("; "))
        })
    }
}
