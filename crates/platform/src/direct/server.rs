//! What takes in events that peers hand over. It listens on an address that only services can reach, and believes nobody
//! who cannot prove a name.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use lasegue_contracts::Service;
use lasegue_contracts::topology::{CONSUMERS, Consumer};
use secrecy::SecretString;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::doors::Doors;
use super::handed;
use super::peers::Peers;
use super::proof::{self, Call};
use crate::clock::SharedClock;

/// Bytes of one call: the largest event with all that surrounds it.
const BODY: usize = 2 << 20;
/// Calls that are answered side by side; more wait.
const AT_ONCE: usize = 256;
/// How long a call may take, from its first byte to its answer.
const WITHIN: Duration = Duration::from_secs(15);

/// Takes in what peers hand over.
#[derive(Clone, Debug)]
pub struct DirectServer {
    peers: Peers,
    doors: Arc<Doors>,
    clock: SharedClock,
}

impl DirectServer {
    pub(super) const fn new(peers: Peers, doors: Arc<Doors>, clock: SharedClock) -> Self {
        Self { peers, doors, clock }
    }

    /// Its one route, ready to be served.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/direct/v1/{consumer}", post(take))
            .layer(DefaultBodyLimit::max(BODY))
            .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, WITHIN))
            .with_state(self)
    }

    /// Whose call this is, by a name and a proof; and the secret shared with them.
    fn caller(&self, headers: &HeaderMap, to: Service) -> Option<(Service, &SecretString)> {
        let name = text(headers, &proof::SENDER);
        let from = Service::ALL.into_iter().find(|service| service.name() == name)?;
        Some((from, self.peers.secret(from, to)?))
    }

    async fn hand_in(&self, consumer: &Consumer, from: Service, body: &[u8]) -> StatusCode {
        let Ok(message) = handed::decode(body) else { return StatusCode::BAD_REQUEST };
        if !handed::may_send(from, consumer, &message) {
            tracing::error!(%from, consumer = consumer.name, subject = message.subject, "a service hands over what it may not send");
            return StatusCode::FORBIDDEN;
        }
        match self.doors.enter(consumer, message).await {
            Ok(()) => StatusCode::NO_CONTENT,
            Err(error) => {
                tracing::warn!(%from, consumer = consumer.name, error = crate::chain(&error), "an event that was handed over is not handled yet");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

async fn take(
    State(server): State<DirectServer>,
    Path(consumer): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(consumer) = CONSUMERS.iter().copied().find(|known| known.name == consumer) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let given = text(&headers, &proof::PROOF);
    let proven = server.caller(&headers, consumer.owner).filter(|(from, secret)| {
        let call = Call { from: *from, to: consumer.owner, consumer: consumer.name, body: &body };
        call.is_proven(secret, given, server.clock.now())
    });
    let Some((from, secret)) = proven else {
        tracing::error!(consumer = consumer.name, "somebody who does not prove to be a service hands over an event");
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let status = server.hand_in(consumer, from, &body).await;
    (status, [(proof::PROOF, proof::of_answer(secret, given, status))]).into_response()
}

fn text<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
