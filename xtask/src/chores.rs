//! Each chore is a few commands; the first that fails ends it.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

pub(crate) fn test() -> anyhow::Result<()> {
    images()?;
    if has_nextest() {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])?;
        cargo(&["test", "--workspace", "--doc", "--quiet"])
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast"])
    }
}

pub(crate) fn faults() -> anyhow::Result<()> {
    cargo(&["test", "--package", "lasegue", "--test", "end_to_end", "--", "--ignored", "--nocapture"])
}

pub(crate) fn bench() -> anyhow::Result<()> {
    cargo(&["bench", "--workspace"])
}

pub(crate) fn ci() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    cargo(&["deny", "check", "bans", "licenses", "sources"])?;
    test()
}

/// The images of the servers that tests run in containers; seconds when they are there.
fn images() -> anyhow::Result<()> {
    run("sh", &["deploy/local-images.sh"])
}

/// Nextest runs the same tests side by side and faster, where it is installed.
fn has_nextest() -> bool {
    let version =
        Command::new("cargo").args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    run("cargo", arguments)
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    eprintln!("+ {program} {}", arguments.join(" "));
    let status = Command::new(program).args(arguments).status().with_context(|| format!("{program} does not run"))?;
    if !status.success() {
        bail!("`{program} {}` failed", arguments.join(" "));
    }
    Ok(())
}
