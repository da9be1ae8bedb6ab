//! Each chore is a few commands; the first that fails ends it.

use std::hash::{BuildHasher, RandomState};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Property tests try the same cases in every run, so that a change fails by its own doing; `explore` tries others.
const SAME_CASES: [(&str, &str); 1] = [("PROPTEST_RNG_SEED", "20260914")];
const MANY_CASES: [(&str, &str); 1] = [("PROPTEST_CASES", "1500")];

pub(crate) fn test() -> anyhow::Result<()> {
    images()?;
    if has_nextest() {
        run("cargo", &["nextest", "run", "--workspace", "--no-fail-fast"], &SAME_CASES)?;
        cargo(&["test", "--workspace", "--doc", "--quiet"])
    } else {
        run("cargo", &["test", "--workspace", "--no-fail-fast"], &SAME_CASES)
    }
}

pub(crate) fn explore() -> anyhow::Result<()> {
    run("cargo", &["test", "--release", "--package", "lasegue-protocol", "--no-fail-fast"], &MANY_CASES)?;
    let seed = RandomState::new().hash_one(()).to_string();
    cargo(&["run", "--release", "--package", "lasegue-protocol", "--example", "fuzz", "--", &seed, "200000"])
}

/// A few cases for each property are enough to notice a mutant, of which there are hundreds.
pub(crate) fn mutants() -> anyhow::Result<()> {
    let few = SAME_CASES.into_iter().chain([("PROPTEST_CASES", "16"), ("CARGO_PROFILE_DEV_DEBUG", "none")]);
    run(
        "cargo",
        &["mutants", "--package", "lasegue-protocol", "--jobs", "2", "--timeout", "90"],
        &few.collect::<Vec<_>>(),
    )
}

pub(crate) fn faults() -> anyhow::Result<()> {
    cargo(&[
        "test",
        "--package",
        "lasegue",
        "--test",
        "end_to_end",
        "--",
        "--ignored",
        "--nocapture",
        "--skip=earlier::",
    ])
}

pub(crate) fn keep() -> anyhow::Result<()> {
    cargo(&["test", "--package", "lasegue", "--test", "end_to_end", "--", "--ignored", "--nocapture", "earlier::"])
}

pub(crate) fn bench() -> anyhow::Result<()> {
    cargo(&["bench", "--workspace"])
}

pub(crate) fn image() -> anyhow::Result<()> {
    images()?;
    cargo(&["build", "--release", "--locked", "--package", "lasegue"])?;
    // This very chore runs from the same target folder.
    let here = std::env::current_exe()?;
    let target = here.ancestors().nth(2).context("the chore lies in no target folder")?;
    let folder = target.join("image");
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(target.join("release/lasegue"), folder.join("lasegue"))?;
    let folder = folder.to_str().context("the target folder's name is no text")?;
    let tag = concat!("lasegue:", env!("CARGO_PKG_VERSION"));
    run("docker", &["build", "--target", "prebuilt", "--tag", tag, "--file", "deploy/Dockerfile", folder], &[])
}

pub(crate) fn ci() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    cargo(&["deny", "check", "bans", "licenses", "sources"])?;
    test()
}

/// The images of the servers that tests run in containers; seconds when they are there.
fn images() -> anyhow::Result<()> {
    run("sh", &["deploy/local-images.sh"], &[])
}

/// Nextest runs the same tests side by side and faster, where it is installed.
fn has_nextest() -> bool {
    let version =
        Command::new("cargo").args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    run("cargo", arguments, &[])
}

fn run(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    eprintln!("+ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .with_context(|| format!("{program} does not run"))?;
    if !status.success() {
        bail!("`{program} {}` failed", arguments.join(" "));
    }
    Ok(())
}
