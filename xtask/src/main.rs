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
    /// The long fault tests: 200 seeded kills with a ledger of every promise.
    Faults,
    /// The load measurements, in a release build.
    Bench,
    /// What every change must pass: format, lints, licences, all tests.
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Test => chores::test(),
        Chore::Faults => chores::faults(),
        Chore::Bench => chores::bench(),
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
