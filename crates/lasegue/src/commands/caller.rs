//! Calling a running installation with a token that somebody gives.

use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;

use anyhow::{anyhow, bail, ensure};
use lasegue_platform::{chain, tls};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

/// How long the installation may take to answer.
const WITHIN: Duration = Duration::from_secs(30);

/// Which installation, and who calls.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// Where the installation listens.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_parser = web_address)]
    url: String,
    /// A token of the role that this takes: `lasegue token --role ROLE --subject NAME` makes one.
    #[arg(long, env = "LASEGUE_TOKEN", hide_env_values = true, default_value = "", hide_default_value = true)]
    token: String,
}

/// Who was asked is away: another service may answer.
#[derive(Debug)]
pub(crate) struct Away(String);

impl Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Away {}

/// An address on the command line.
///
/// # Errors
/// What to write instead.
pub(crate) fn web_address(written: &str) -> Result<String, String> {
    let address = Url::parse(written).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    let trimmed = || written.trim_end_matches('/').to_owned();
    address.map(|_| trimmed()).ok_or_else(|| "begin it with http:// or https://, like http://127.0.0.1:8080".to_owned())
}

/// What it means that there was no answer.
pub(crate) fn no_answer(url: &str, error: &reqwest::Error) -> String {
    if chain(error).contains("InvalidContentType") {
        format!("whoever listens at {url} speaks no TLS: begin the address with http://")
    } else {
        format!("nobody answers at {url}")
    }
}

pub(crate) struct Caller<'a> {
    http: Client,
    target: &'a Target,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(target: &'a Target) -> anyhow::Result<Self> {
        tls::install();
        ensure!(!target.token.is_empty(), "it needs a token in the variable LASEGUE_TOKEN: `lasegue token` makes one");
        Ok(Self { http: tls::client(|| Client::builder().timeout(WITHIN))?, target })
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.address(path)).bearer_auth(&self.target.token)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.address(path)).bearer_auth(&self.target.token)
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.target.url.trim_end_matches('/'))
    }

    /// The answer, or the problem that it tells.
    pub(crate) async fn ask(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        match self.find(request).await? {
            Ok(answer) => Ok(answer),
            Err(missing) => bail!("refused ({}): {missing}", StatusCode::NOT_FOUND),
        }
    }

    /// Likewise; when there is no such thing, that is an answer too. [`Away`] is the error of who cannot answer.
    pub(crate) async fn find(&self, request: RequestBuilder) -> anyhow::Result<Result<Response, String>> {
        let silent =
            |error: reqwest::Error| Away(format!("{}: {}", no_answer(&self.target.url, &error), chain(&error)));
        let answer = request.send().await.map_err(silent)?;
        if answer.status().is_success() {
            return Ok(Ok(answer));
        }
        let status = answer.status();
        let problem: Value = answer.json().await.unwrap_or_default();
        let faults = problem["faults"].as_array().into_iter().flatten().filter_map(|fault| fault["reason"].as_str());
        let detail = problem["detail"].as_str().into_iter().chain(faults).collect::<Vec<_>>().join("\n");
        if status == StatusCode::NOT_FOUND {
            return Ok(Err(detail));
        }
        let refusal = format!("refused ({status}): {detail}");
        Err(if status.is_server_error() { Away(refusal).into() } else { anyhow!(refusal) })
    }
}
