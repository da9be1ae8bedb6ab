//! Sending records to a running installation, again and again while it does not answer.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, bail};
use backon::{ExponentialBuilder, Retryable};
use indicatif::ProgressBar;
use lasegue_platform::{chain, tls};
use lasegue_protocol::stream::Raw;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::plain::plain;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_mins(2);
/// The first wait before a request is sent again; it doubles with each try.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest such wait.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// How often a request is sent again: about half a minute altogether.
const TRIES: usize = 8;

/// What became of one record.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(super) enum Outcome {
    Accepted,
    Known,
    Refused { faults: Vec<Fault> },
}

/// One thing wrong with a record.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Fault {
    pointer: String,
    reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.reason)
    }
}

/// Why a request failed.
#[derive(Debug)]
enum Failure {
    Silence { url: String, source: reqwest::Error },
    Refusal { status: StatusCode, detail: String },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence { url, .. } => write!(f, "the installation does not answer at {url}"),
            Self::Refusal { status, detail } => write!(f, "the installation refuses the import ({status}): {detail}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Silence { source, .. } => Some(source),
            Self::Refusal { .. } => None,
        }
    }
}

impl Failure {
    /// Whether another try may go better.
    fn may_pass(&self) -> bool {
        match self {
            Self::Silence { source, .. } => !source.is_builder(),
            Self::Refusal { status, .. } => {
                status.is_server_error()
                    || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(status)
            }
        }
    }
}

/// Whether running the same import again may go better.
pub(super) fn may_pass(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(Failure::may_pass)
}

/// Sends chunks of records.
pub(super) struct Sender {
    http: Client,
    url: String,
    token: String,
    progress: ProgressBar,
}

impl Sender {
    pub(super) fn new(url: &str, token: String, progress: ProgressBar) -> anyhow::Result<Self> {
        let http = tls::client(|| Client::builder().timeout(TIMEOUT)).context("no HTTP client can be made")?;
        Ok(Self { http, url: format!("{}/api/v1/imports", url.trim_end_matches('/')), token, progress })
    }

    /// Sends records and gives the outcome of each.
    pub(super) async fn send(&self, records: &[Raw]) -> anyhow::Result<Vec<Outcome>> {
        let body = lines(records);
        let waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LAST_WAIT)
            .with_max_times(TRIES)
            .with_jitter();
        let mut again = 0;
        let answer = (|| self.try_send(body.clone()))
            .retry(waits)
            .when(Failure::may_pass)
            .notify(|failure, wait| {
                again += 1;
                let (why, wait) = (plain(&chain(failure)), wait.as_secs_f64());
                let line =
                    format!("{why}: trying again in {wait:.1} s, {again} of {TRIES} (ended now, nothing is lost)");
                self.progress.suspend(|| eprintln!("{line}"));
            })
            .await?;
        let outcomes: Vec<Outcome> = answer
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .context("the installation's answer is not understood: is it of the same version?")?;
        if outcomes.len() != records.len() {
            bail!("the installation answered for {} of {} records", outcomes.len(), records.len());
        }
        Ok(outcomes)
    }

    async fn try_send(&self, body: Vec<u8>) -> Result<String, Failure> {
        let silence = |source| Failure::Silence { url: self.url.clone(), source };
        let request = self.http.post(&self.url).bearer_auth(&self.token).body(body);
        let answer = request.send().await.map_err(silence)?;
        let status = answer.status();
        let text = answer.text().await.map_err(silence)?;
        if status.is_success() { Ok(text) } else { Err(Failure::Refusal { status, detail: detail(&text) }) }
    }
}

/// One record a line. Outside of its texts a line break means nothing in JSON, and inside it is not allowed.
fn lines(records: &[Raw]) -> Vec<u8> {
    let mut body = Vec::with_capacity(records.iter().map(|record| record.json.len() + 1).sum());
    for record in records {
        body.extend(record.json.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        body.push(b'\n');
    }
    body
}

/// What a problem document says.
fn detail(text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let said = [&problem["detail"], &problem["title"]].into_iter().find_map(Value::as_str);
    said.unwrap_or("without a reason").to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::response::{IntoResponse, Response};
    use axum::routing::post;
    use tokio::net::TcpListener;

    use super::*;

    /// An installation that answers `failures` times with `status` and then takes everything. Gives also how often it was asked.
    async fn installation(failures: usize, status: StatusCode) -> (Sender, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let answer = move |body: String| async move {
            if counted.fetch_add(1, Ordering::SeqCst) < failures {
                return (status, r#"{"detail":"Not now."}"#).into_response();
            }
            let line =
                |text: &str| format!("{{\"outcome\":\"{}\"}}\n", if text == "{ }" { "known" } else { "accepted" });
            Response::new(body.lines().map(line).collect::<String>().into())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("a bound socket has an address"));
        let router = Router::new().route("/api/v1/imports", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        tls::install();
        (Sender::new(&url, "token".to_owned(), ProgressBar::hidden()).expect("a client"), asked)
    }

    fn records() -> [Raw; 2] {
        [b"{\n}".to_vec(), b"{}".to_vec()].map(|json| Raw { number: 1, line: 1, json })
    }

    #[tokio::test]
    async fn a_passing_failure_is_tried_again() {
        let (sender, asked) = installation(2, StatusCode::SERVICE_UNAVAILABLE).await;
        let outcomes = sender.send(&records()).await.expect("the third try is answered");
        assert_eq!(outcomes, [Outcome::Known, Outcome::Accepted], "one line a record");
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_lasting_failure_is_told_at_once() {
        let (sender, asked) = installation(9, StatusCode::FORBIDDEN).await;
        let failure = sender.send(&records()).await.expect_err("no try can help");
        assert_eq!(failure.to_string(), "the installation refuses the import (403 Forbidden): Not now.");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_refused_record_s_faults_are_read() {
        let line = r#"{"outcome":"refused","faults":[{"pointer":"","reason":"must be an object"}]}"#;
        let Ok(Outcome::Refused { faults }) = serde_json::from_str(line) else { panic!("it is an outcome") };
        assert_eq!(faults[0].to_string(), "/: must be an object");
    }
}
