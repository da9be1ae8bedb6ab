//! The project's own chores, run as `cargo xtask NAME`.

mod chores;
#[cfg(test)]
mod directions;

use std::process::ExitCode;

use clap::Parser;

/// The project's own chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Every test: units, services on real databases, the built binary from outside, the documentation's examples.
    Test,
    /// The protocol's properties with cases never tried before, and its parsers with damaged input.
    Explore,
    /// Every change that cargo-mutants can make to the facts and the evaluation; each must be noticed.
    Mutants,
    /// The long fault tests, with a ledger of every promise: seeded kills of the one process and of any part, and minutes
    /// without NATS or PostgreSQL's writes.
    Faults,
    /// A data folder of this version, killed with work under way, for the tests of every later one.
    Keep,
    /// The load measurements, in a release build.
    Bench,
    /// The image that deploy/compose.yaml starts, around a binary that is built on this machine.
    Image,
    /// What every change must pass: format, lints, licences, all tests.
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Test => chores::test(),
        Chore::Explore => chores::explore(),
        Chore::Mutants => chores::mutants(),
        Chore::Faults => chores::faults(),
        Chore::Keep => chores::keep(),
        Chore::Bench => chores::bench(),
        Chore::Image => chores::image(),
        Chore::Ci => chores::ci(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
