//! The corpus: every route, and what is valid and wicked in every place of a request.

use std::fmt;

use super::bodies;
use super::wicked::{BODIES, METHODS, PATHS};

/// The roles that call; a call of any other sends no token.
pub(super) const ROLES: [&str; 6] = ["clinician", "coordinator", "system", "auditor", "operator", "protocol-owner"];

/// One request. `{episode}` in it stands for the episode that was registered before.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) role: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Call {
    fn new(role: &'static str, method: &'static str, path: impl Into<String>) -> Self {
        Self { role, method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Everything before the body.
    pub(super) fn head(&self, number: usize, host: &str, token: Option<&str>, episode: &str) -> String {
        let path = self.path.replace("{episode}", episode).replace("{EPISODE}", &episode.to_uppercase());
        let mut lines = vec![
            format!("{} {path} HTTP/1.1", self.method),
            format!("host: {host}"),
            "connection: close".to_owned(),
            format!("x-request-id: corpus-{number}"),
            format!("content-length: {}", self.body.len()),
        ];
        lines.extend(token.map(|token| format!("authorization: Bearer {token}")));
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.join("\r\n") + "\r\n\r\n"
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(200).collect();
        write!(f, "{} {} {} {:?} {body}", self.role, self.method, self.path, self.headers)
    }
}

const NO_ALERT: &str = "/api/v1/alerts/00000000-0000-0000-0000-000000000001";
const SUBMISSIONS: &str = "/api/v1/episodes/{episode}/submissions";
const ADJUDICATIONS: &str = "/api/v1/episodes/{episode}/adjudications";

fn keyed(number: usize, path: &str, body: impl Into<Vec<u8>>) -> Call {
    Call::new("clinician", "POST", path).header("idempotency-key", format!("{}-{number}", path.len())).body(body)
}

/// All of it, always in the same order.
pub(super) fn corpus() -> Vec<Call> {
    let mut corpus = Vec::new();
    let numbered = |path: &'static str| move |(number, body): (usize, String)| keyed(number, path, body);
    let register = |body: String| Call::new("clinician", "POST", "/api/v1/episodes").body(body);
    corpus.extend(bodies::registrations().into_iter().map(register));
    corpus.extend(bodies::submissions().into_iter().enumerate().map(numbered(SUBMISSIONS)));
    corpus.extend(bodies::adjudications().into_iter().enumerate().map(numbered(ADJUDICATIONS)));
    corpus.extend(bodies::patches().into_iter().map(|body| patch(body, None)));
    corpus.extend(bodies::records().into_iter().map(|body| Call::new("system", "POST", "/api/v1/imports").body(body)));
    corpus.extend(raw_bodies());
    corpus.extend(headers());
    corpus.extend(addresses());
    corpus.extend(callers());
    corpus.extend(
        ["", "/refusals"].map(|part| Call::new("clinician", "GET", format!("/api/v1/episodes/{{episode}}{part}"))),
    );
    corpus
}

fn patch(body: String, seen: Option<&str>) -> Call {
    let call = Call::new("coordinator", "PATCH", "/api/v1/episodes/{episode}").body(body);
    match seen {
        Some(seen) => call.header("if-match", seen),
        None => call,
    }
}

/// The same bytes, sent to everything that reads a body.
fn raw_bodies() -> Vec<Call> {
    let to = |(role, path): (&'static str, &'static str)| {
        BODIES.iter().enumerate().map(move |(number, body)| {
            let key = format!("raw-{number}");
            Call::new(role, "POST", path).header("idempotency-key", key).body(*body)
        })
    };
    let alert = "/api/v1/alerts/00000000-0000-0000-0000-000000000001/accept";
    let readers = [
        ("clinician", SUBMISSIONS),
        ("clinician", ADJUDICATIONS),
        ("clinician", "/api/v1/episodes"),
        ("system", "/api/v1/imports"),
        ("protocol-owner", "/api/v1/protocols"),
        ("clinician", alert),
    ];
    readers.into_iter().flat_map(to).collect()
}

fn headers() -> Vec<Call> {
    let long = "x".repeat(201);
    let keys = ["", " ", "a b", "k\u{e9}", "key\t1", &long, "ok"];
    let keyed = keys.map(|key| Call::new("clinician", "POST", SUBMISSIONS).header("idempotency-key", key).body("{}"));
    let seen = ["\"1\"", "*", "1", "\"x\"", "W/\"1\"", "", "\"99999999999999999999\"", "\"-1\"", "\"1\", \"2\""];
    let patches = seen.map(|seen| patch("{}".to_owned(), Some(seen)));
    let media_types = ["", "text/plain", "application/xml", "application/json; charset=utf-16", "x"];
    let of_a_type = media_types.map(|kind| {
        let call = Call::new("clinician", "POST", "/api/v1/alerts/00000000-0000-0000-0000-000000000001/accept");
        call.header("content-type", kind).body("{\"revision\":1}")
    });
    let encoded = Call::new("clinician", "POST", SUBMISSIONS).header("content-encoding", "gzip").body("{}");
    keyed
        .into_iter()
        .chain(patches)
        .chain(of_a_type)
        .chain([encoded, Call::new("clinician", "POST", SUBMISSIONS)])
        .collect()
}

fn addresses() -> Vec<Call> {
    let read = PATHS.iter().map(|path| Call::new("clinician", "GET", *path));
    let routes =
        ["/api/v1/episodes", "/api/v1/episodes/{episode}", SUBMISSIONS, "/api/v1/imports", "/api/v1/protocols", "/x"];
    let methods =
        routes.into_iter().flat_map(|path| METHODS.iter().map(move |method| Call::new("clinician", method, path)));
    read.chain(methods).collect()
}

fn callers() -> Vec<Call> {
    let roles = ROLES.into_iter().chain(["nobody"]).flat_map(|role| {
        ["/api/v1/episodes/{episode}", "/api/v1/worklist?limit=x", NO_ALERT, "/api/v1/protocols/x"]
            .map(|path| Call::new(role, "GET", path))
    });
    let forged =
        ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer a.b.c", "bearer \u{e9}", "Bearer eyJhbGciOiJub25lIn0.e30."];
    let forged = forged.map(|value| Call::new("nobody", "GET", "/api/v1/worklist").header("authorization", value));
    roles.chain(forged).collect()
}
