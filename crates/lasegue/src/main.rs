//! The `lasegue` command: one binary, many roles.

mod commands;
mod sample;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::sample as sample_command;

/// Event-driven follow-up for patients with lumbosacral radiculopathy.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sample(sample_command::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Sample(args) => sample_command::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("lasegue: {error:#}");
        ExitCode::FAILURE
    })
}
