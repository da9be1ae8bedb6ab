//! The `lasegue` command: one binary, many roles.

mod commands;
mod data_folder;
mod demo;
mod direct;
mod plain;
mod process;
mod roles;
mod sample;
mod secrets;
mod settings;
mod terminal;
mod tokens;
mod wiring;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lasegue_platform::files;

use crate::commands::{
    audit, backup, dead_letters, doctor, evaluate, health, import, migrate, protocol, restore, run, sample as samples,
    secrets as secret_files, token, up,
};
use crate::plain::plain_lines;

/// Event-driven follow-up for patients with lumbosacral radiculopathy.
///
/// Start with `lasegue up --demo`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Run(run::Args),
    Migrate(migrate::Args),
    Secrets(secret_files::Args),
    Health(health::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Doctor(doctor::Args),
    Evaluate(evaluate::Args),
    Import(import::Args),
    Token(token::Args),
    Protocol(protocol::Args),
    DeadLetters(dead_letters::Args),
    Audit(audit::Args),
    Sample(samples::Args),
}

fn main() -> ExitCode {
    files::keep_to_owner();
    let outcome = match Cli::parse().command {
        Command::Up(args) => wait_for(up::run(args, environment())),
        Command::Run(args) => wait_for(run::run(args, environment())),
        Command::Migrate(args) => wait_for(migrate::run(args, environment())),
        Command::Secrets(args) => secret_files::run(&args),
        Command::Health(args) => wait_for(health::run(args)),
        Command::Backup(args) => wait_for(backup::run(args)),
        Command::Restore(args) => wait_for(restore::run(args)),
        Command::Doctor(args) => wait_for(doctor::run(args)),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Import(args) => wait_for(import::run(args)),
        Command::Token(args) => wait_for(token::run(args)),
        Command::Protocol(args) => protocol::run(&args),
        Command::DeadLetters(args) => wait_for(dead_letters::run(args)),
        Command::Audit(args) => wait_for(audit::run(args, environment())),
        Command::Sample(args) => samples::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        if terminal::nobody_reads_on(&error) {
            return ExitCode::SUCCESS;
        }
        // Nobody may be there to hear it: the exit status says it as well.
        let _ = writeln!(std::io::stderr(), "lasegue: {}", plain_lines(&format!("{error:#}")));
        ExitCode::FAILURE
    })
}

fn wait_for(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        files::outlast_largest_size()?;
        work.await
    })
}

/// Variables of our name that set no key: those of options, and those that deploy/compose.yaml reads in the same shell.
const ELSEWHERE: [&str; 5] =
    ["LASEGUE_TOKEN", "LASEGUE_CONFIG", "LASEGUE_IMAGE", "LASEGUE_LISTEN", "LASEGUE_WITHOUT_CONTACTS"];

/// The variables that set the configuration, read once, here.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()))
        .collect()
}
