//! The way to one service: which replica is asked, how long it may be silent, and what is done when it is.
//!
//! A replica that cannot be reached, or at whose address another service answers, has done nothing, so the next one is
//! asked. One that falls silent may have done it: then only a call that is safe to repeat goes to the next.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery, Scheme, Uri};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use futures_util::future;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lasegue_contracts::Service;
use lasegue_platform::http::{Peer, Problem, REQUEST_ID};
use tokio::time::{Instant, timeout, timeout_at};

use super::body::Kept;
use super::headers;
use super::missed::Missed;
use super::remote::Remote;
use super::replicas::{Lookup, Replicas};

/// How long a connection to a service may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long a service may take to say how it is.
const SAY_WITHIN: Duration = Duration::from_secs(2);
/// How long a connection is kept for the next call: less than a service keeps it.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// Replicas that one call may be given to.
const REPLICAS: usize = 3;

/// How long a replica may be silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// While another could be asked instead.
    pub(super) with_others: Duration,
    /// When it is the last that may be asked.
    pub(super) alone: Duration,
    /// All of them together, so that the caller gets a 503 and no time-out.
    pub(super) overall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { with_others: Duration::from_secs(3), alone: Duration::from_secs(20), overall: Duration::from_secs(27) }
    }
}

/// The way to one service.
#[derive(Debug)]
pub(super) struct Way {
    service: Service,
    authority: Authority,
    replicas: Replicas,
    client: Mutex<Client<HttpConnector, Body>>,
    patience: Patience,
}

/// A call, ready to be given to any replica.
struct Call {
    parts: Parts,
    body: Kept,
}

impl Call {
    fn is_safe_to_repeat(&self) -> bool {
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.parts.method);
        safe || self.parts.headers.contains_key("idempotency-key")
    }

    fn to(&self, address: SocketAddr) -> Request {
        let path = self.parts.uri.path_and_query().cloned();
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.parts.method.clone();
        *request.uri_mut() = at(address, path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        *request.headers_mut() = self.parts.headers.clone();
        if let Some(length) = self.body.length() {
            request.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        *request.body_mut() = self.body.whole();
        request
    }
}

impl Way {
    pub(super) fn new(service: Service, remote: Remote, lookup: Lookup, patience: Patience) -> Self {
        let authority = remote.authority().clone();
        Self { service, authority, replicas: Replicas::new(remote, lookup), client: Mutex::new(client()), patience }
    }

    /// Whether a replica proves to be the service and ready.
    pub(super) async fn is_ready(&self) -> Result<(), Missed> {
        let addresses = self.replicas.in_turn().await;
        if addresses.is_empty() {
            return Err(Missed::Nowhere);
        }
        let asked = addresses.into_iter().map(|address| Box::pin(self.says_ready(address)));
        future::select_ok(asked).await.map(|_| ())
    }

    async fn says_ready(&self, address: SocketAddr) -> Result<(), Missed> {
        let asked = self.client().get(at(address, PathAndQuery::from_static("/readyz")));
        let answer = timeout(SAY_WITHIN, asked).await.map_err(|_| Missed::Silent)?.map_err(Missed::of)?;
        if !headers::prove(answer.headers(), self.service) {
            self.turn_away(address);
            return Err(Missed::Stranger);
        }
        if answer.status() == StatusCode::OK { Ok(()) } else { Err(Missed::NotReady) }
    }

    /// Passes a call on, and its answer back.
    pub(super) async fn pass(&self, request: Request) -> Result<Response, Problem> {
        let peer = Peer::of(&request).address;
        let (mut parts, body) = request.into_parts();
        headers::of_request(&mut parts.headers, &self.authority, peer);
        let call = Call { parts, body: Kept::new(body) };
        let answered = timeout(self.patience.overall, self.ask_in_turn(&call)).await;
        match answered.unwrap_or(Err(Missed::Silent)) {
            Ok(mut answer) => {
                headers::of_answer(answer.headers_mut());
                Ok(answer)
            }
            Err(_) if call.body.broke_off() => Err(Problem::broken_off()),
            Err(missed) => {
                let request = call.parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
                tracing::warn!(service = %self.service, request, error = missed.told(), "a service gave no answer");
                Err(away(self.service))
            }
        }
    }

    async fn ask_in_turn(&self, call: &Call) -> Result<Response, Missed> {
        let (mut asked, mut strangers) = (Vec::new(), 0);
        let mut last = Missed::Nowhere;
        while asked.len() < REPLICAS {
            let addresses = self.replicas.in_turn().await;
            let mut others = addresses.into_iter().filter(|address| !asked.contains(address));
            let Some(address) = others.next() else { break };
            let goes_on = others.next().is_some() && asked.len() + 1 < REPLICAS && call.is_safe_to_repeat();
            let patience = if goes_on { self.patience.with_others } else { self.patience.alone };
            match self.ask(address, call, patience).await {
                Ok(answer) => return Ok(answer),
                Err(missed) => {
                    // The stranger may have been at the other end of a kept connection only: a new one is tried once.
                    strangers += usize::from(matches!(missed, Missed::Stranger));
                    if !matches!(missed, Missed::Stranger) || strangers > 1 {
                        asked.push(address);
                    }
                    let again = call.body.is_whole() && !call.body.broke_off();
                    let again = again && (missed.nothing_was_done() || call.is_safe_to_repeat());
                    last = missed;
                    if !again {
                        break;
                    }
                    tracing::info!(service = %self.service, %address, error = last.told(), "another replica is asked");
                }
            }
        }
        Err(last)
    }

    async fn ask(&self, address: SocketAddr, call: &Call, patience: Duration) -> Result<Response, Missed> {
        let answered = unless_silent(self.client().request(call.to(address)), &call.body, patience).await;
        let outcome = match answered {
            Some(Ok(answer)) if headers::prove(answer.headers(), self.service) => Ok(answer.map(Body::new)),
            Some(Ok(_)) => Err(Missed::Stranger),
            Some(Err(error)) => Err(Missed::of(error)),
            None => Err(Missed::Silent),
        };
        match &outcome {
            Ok(_) => self.replicas.answered(address),
            Err(_) if call.body.broke_off() => {}
            Err(_) => self.turn_away(address),
        }
        outcome
    }

    fn client(&self) -> Client<HttpConnector, Body> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets go of every kept connection, for any of them may lead to the same place, and looks up the name again.
    fn turn_away(&self, address: SocketAddr) {
        self.replicas.failed(address);
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client();
    }
}

/// What `asked` gives, or none when the replica did nothing for as long as `patience`: neither answered nor took what
/// the caller sends. Waiting for the caller is not the replica's silence.
async fn unless_silent<T>(asked: impl Future<Output = T>, body: &Kept, patience: Duration) -> Option<T> {
    let mut asked = std::pin::pin!(asked);
    let begun = now();
    loop {
        let until = body.silent_since().map_or_else(now, |since| since.max(begun)) + patience;
        if let Ok(answer) = timeout_at(until, &mut asked).await {
            return Some(answer);
        }
        if body.silent_since().is_some_and(|since| since.max(begun) + patience <= now()) {
            return None;
        }
    }
}

fn client() -> Client<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_WITHIN));
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT_FOR).build(connector)
}

fn at(address: SocketAddr, path: PathAndQuery) -> Uri {
    let mut parts = axum::http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(address.to_string().parse().expect("an address is an authority"));
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).expect("scheme, authority and path make an address")
}

fn away(service: Service) -> Problem {
    Problem::unavailable(format!(
        "The {service} service does not answer now. Send the request again, with the same Idempotency-Key if it has one."
    ))
}

#[expect(clippy::disallowed_methods, reason = "how long a socket is silent; no result depends on it")]
pub(super) fn now() -> Instant {
    Instant::now()
}
