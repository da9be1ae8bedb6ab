//! What surrounds one request: its id, its trace, its log line and its numbers. None of it holds a raw address.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::health::READY;
use super::listener::Arrived;
use super::problem::{MEDIA_TYPE, Problem};
use crate::clock::SharedClock;
use crate::random::SharedRandom;
use crate::telemetry::TraceContext;

/// The header that carries the request's id in and out.
pub const REQUEST_ID: &str = "x-request-id";
/// The longest id that is taken over from the caller.
const LONGEST: usize = 64;
/// As much of a plain error text as goes into a problem's detail.
const DETAIL: usize = 1_024;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id under which a request is found in the log: the caller's, if it is short and plain, or one made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id of the request that this task answers.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    fn of(request: &Request, clock: &SharedClock, random: &SharedRandom) -> Self {
        let plain = |id: &&str| {
            !id.is_empty()
                && id.len() <= LONGEST
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(plain);
        Self(given.map_or_else(|| random.id(clock.now()).to_string().into(), Arc::from))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the surroundings need.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) clock: SharedClock,
    pub(super) random: SharedRandom,
}

/// Gives a request its id, trace, log line and numbers, and makes a problem document of every bare error. A body that came
/// too slowly is 408 at every address.
pub(super) async fn surround(State(with): State<Surroundings>, request: Request, next: Next) -> Response {
    let id = RequestId::of(&request, &with.clock, &with.random);
    let trace = TraceContext::parse_or_new(
        request.headers().get("traceparent").and_then(|value| value.to_str().ok()).unwrap_or_default(),
    );
    let method = known(request.method());
    let path = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let pace = request.extensions().get::<Arrived>().map(|arrived| arrived.pace.clone()).unwrap_or_default();
    let span = tracing::info_span!("request", method, path, request = %id, trace = trace.trace_id());
    let started = started();
    let answering = async {
        let response = as_problem(next.run(request).await).await;
        let response = if pace.was_too_slow() { stalled(response) } else { response };
        let status = response.status();
        if failed(&path, status) {
            tracing::warn!(%status, "a request failed");
        } else {
            tracing::debug!(%status, "a request was answered");
        }
        response
    };
    let mut response = CURRENT.scope(id.clone(), trace.scope(answering.instrument(span))).await;
    count(method, path, response.status(), started.elapsed());
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The method's name, one of a few: anybody can invent others, and each would be a series of its own.
pub(crate) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Whether somebody should look after it. That a process is not ready is what was asked, and no failure.
fn failed(path: &str, status: StatusCode) -> bool {
    status.is_server_error() && path != READY
}

fn count(method: &'static str, path: String, status: StatusCode, took: Duration) {
    let failed = failed(&path, status);
    let labels = [("method", method.to_owned()), ("path", path), ("status", status.as_u16().to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels).record(took);
    if failed {
        metrics::counter!("http_failures_total").increment(1);
    }
}

#[expect(clippy::disallowed_methods, reason = "a duration for metrics; no result depends on it")]
fn started() -> Instant {
    Instant::now()
}

/// What is told to whoever sends a body too slowly, whichever route refused what came of it.
fn stalled(refused: Response) -> Response {
    if refused.status().is_success() { refused } else { Problem::stalled().into_response() }
}

/// A bare error of the framework as a problem document; its text, if it has one, becomes the detail.
async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let media_type = response.headers().get(axum::http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let ours =
        media_type.is_some_and(|media_type| media_type == MEDIA_TYPE || media_type.starts_with("application/json"));
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, DETAIL).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut problem = Problem::of_status(status);
    let says_more = ![StatusCode::INTERNAL_SERVER_ERROR, StatusCode::PAYLOAD_TOO_LARGE].contains(&status);
    if says_more && !text.is_empty() {
        problem = problem.detail(text);
    }
    for name in [axum::http::header::ALLOW, axum::http::header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            problem = problem.header(name, value.clone());
        }
    }
    problem.into_response()
}
