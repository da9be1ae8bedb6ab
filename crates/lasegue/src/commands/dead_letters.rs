//! `lasegue dead-letters`: messages that a service could not handle, and what an operator does about them.

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use lasegue_contracts::Service;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Away, Caller, Target};
use crate::plain::{plain, plain_json, plain_lines};
use crate::terminal::{say, tell};

/// Exit status when something could not be done, or somebody not be asked.
const REFUSED: u8 = 2;

/// List messages that could not be handled, have them handled again, or give them up.
///
/// It takes a token of the role operator or system. The name in it is written down with everything that is done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List those of all services, the oldest first
    List {
        /// Those that are done with, in the place of those that are open
        #[arg(long)]
        settled: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Show one with its bytes and everything that was done to it
    Show {
        /// As the list or the operator's alert names it
        id: Uuid,
        #[command(flatten)]
        target: Target,
    },
    /// Have messages handled again, once what stopped them is mended
    Replay {
        /// As the list or the operator's alert names them
        #[arg(required = true)]
        ids: Vec<Uuid>,
        #[command(flatten)]
        target: Target,
    },
    /// Give messages up: they are never handled, and the work of a timer is tried no more unless it is set anew
    Drop {
        /// As the list or the operator's alert names them
        #[arg(required = true)]
        ids: Vec<Uuid>,
        /// How they were dealt with otherwise
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Runs one of the commands; the exit status is 2 when something could not be done, or a service not be asked.
pub(crate) async fn run(Args { command }: Args) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { settled, target } => list(&Caller::new(&target)?, settled).await,
        Command::Show { id, target } => show(&Caller::new(&target)?, id).await,
        Command::Replay { ids, target } => each(&Caller::new(&target)?, &ids, "replay", &json!({})).await,
        Command::Drop { ids, reason, target } => {
            each(&Caller::new(&target)?, &ids, "drop", &json!({ "reason": reason })).await
        }
    }
}

/// Lists those of every service that can be asked, and says which cannot.
async fn list(caller: &Caller<'_>, settled: bool) -> anyhow::Result<ExitCode> {
    let mut exit = ExitCode::SUCCESS;
    for service in Service::ALL {
        match list_of(caller, service, settled).await {
            Ok(()) => {}
            Err(error) if error.is::<Away>() => {
                eprintln!("{}", plain_lines(&not_asked(service, &error)));
                exit = ExitCode::from(REFUSED);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(exit)
}

async fn list_of(caller: &Caller<'_>, service: Service, settled: bool) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let path = format!("/dead-letters/{service}?settled={settled}&limit=500{after}");
        let page: Value = caller.ask(caller.get(&path)).await?.json().await?;
        for letter in page["dead_letters"].as_array().context("the installation lists no dead letters")? {
            tell!("{}", line(letter))?;
        }
        let Some(next) = page["next"].as_str() else { return Ok(()) };
        after = format!("&after={next}");
    }
}

fn not_asked(service: Service, error: &anyhow::Error) -> String {
    format!("{service} could not be asked: {error:#}")
}

/// A letter in one line, tabs between its parts.
fn line(letter: &Value) -> String {
    let parts = ["id", "created_at", "state", "consumer", "event_type", "episode", "reason"];
    parts.map(|part| plain(&letter[part].as_str().unwrap_or("-"))).join("\t")
}

async fn show(caller: &Caller<'_>, id: Uuid) -> anyhow::Result<ExitCode> {
    let letter = find(caller, id).await?;
    for line in serde_json::to_string_pretty(&letter)?.lines() {
        tell!("{}", plain_json(line))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Does the same to each letter, also when it cannot be done to another.
async fn each(caller: &Caller<'_>, ids: &[Uuid], verb: &str, body: &Value) -> anyhow::Result<ExitCode> {
    let mut exit = ExitCode::SUCCESS;
    for id in ids {
        match settle(caller, *id, verb, body).await {
            Ok(state) => say!("{id} {}", plain(&state)),
            Err(error) => {
                eprintln!("{id}: {}", plain_lines(&format!("{error:#}")));
                exit = ExitCode::from(REFUSED);
            }
        }
    }
    Ok(exit)
}

async fn settle(caller: &Caller<'_>, id: Uuid, verb: &str, body: &Value) -> anyhow::Result<String> {
    let post = |service| caller.post(&format!("/dead-letters/{service}/{id}/{verb}")).json(body);
    let settled = of_whom_has_it(caller, post).await?;
    Ok(settled["state"].as_str().unwrap_or_default().to_owned())
}

async fn find(caller: &Caller<'_>, id: Uuid) -> anyhow::Result<Value> {
    of_whom_has_it(caller, |service| caller.get(&format!("/dead-letters/{service}/{id}"))).await
}

/// The answer of the service that has the letter. One that is away may be the one.
async fn of_whom_has_it(caller: &Caller<'_>, ask: impl Fn(Service) -> RequestBuilder) -> anyhow::Result<Value> {
    let mut away = Vec::new();
    for service in Service::ALL {
        match caller.find(ask(service)).await {
            Ok(Ok(answer)) => return Ok(answer.json().await?),
            Ok(Err(_)) => {}
            Err(error) if error.is::<Away>() => away.push(not_asked(service, &error)),
            Err(error) => return Err(error),
        }
    }
    ensure!(away.is_empty(), "no service that answers has a dead letter of this id\n{}", away.join("\n"));
    bail!("no service has a dead letter of this id")
}
