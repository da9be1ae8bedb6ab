//! `lasegue health`: whether a process is ready, for the health check of a container.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lasegue_platform::tls;

/// How long the process may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// Ask a running process whether it is ready, print what it says, and end with status 1 when it is not.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it listens.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tls::install();
    let client = reqwest::Client::builder().timeout(WITHIN).build()?;
    let asked = client.get(format!("{}/readyz", args.url)).send().await;
    let answer = asked.with_context(|| format!("nobody answers at {}", args.url))?;
    let ready = answer.status().is_success();
    println!("{}", answer.text().await?);
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
