//! The `lasegue` command: one binary, many roles.

mod commands;
mod demo;
mod process;
mod roles;
mod sample;
mod secrets;
mod settings;
mod wiring;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    evaluate, health, import, migrate, protocol, run, sample as samples, secrets as secret_files, token, up,
};

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
    Evaluate(evaluate::Args),
    Import(import::Args),
    Token(token::Args),
    Protocol(protocol::Args),
    Sample(samples::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Up(args) => wait_for(up::run(args, environment())),
        Command::Run(args) => wait_for(run::run(args, environment())),
        Command::Migrate(args) => wait_for(migrate::run(args, environment())),
        Command::Secrets(args) => secret_files::run(&args),
        Command::Health(args) => wait_for(health::run(args)),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Import(args) => wait_for(import::run(args)),
        Command::Token(args) => token::run(&args),
        Command::Protocol(args) => protocol::run(&args),
        Command::Sample(args) => samples::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("lasegue: {error:#}");
        ExitCode::FAILURE
    })
}

fn wait_for(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// The variables that set the configuration, read once, here. `LASEGUE_TOKEN` belongs to a command's option.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter(|(name, _)| name != "LASEGUE_TOKEN")
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
