//! `lasegue health`: whether a process is ready, for the health check of a container.

use std::process::ExitCode;
use std::time::Duration;

use lasegue_platform::tls;

use crate::commands::caller::{no_answer, web_address};
use crate::plain::plain_lines;
use crate::terminal::tell;

/// How long the process may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// Ask a running process whether it is ready, print what it says, and end with status 1 when it is not.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it listens.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_parser = web_address)]
    url: String,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tls::install();
    let client = tls::client(|| reqwest::Client::builder().timeout(WITHIN))?;
    let asked = client.get(format!("{}/readyz", args.url)).send().await;
    let answer = asked.map_err(|error| {
        let what = no_answer(&args.url, &error);
        anyhow::Error::new(error).context(what)
    })?;
    let ready = answer.status().is_success();
    tell!("{}", plain_lines(&answer.text().await?))?;
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
