//! A pager at the other end of a webhook: it checks each page's signature, keeps it, and answers as it is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The header that signs a page: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`.
pub const SIGNATURE: &str = "lasegue-signature";

/// A page as it arrived.
#[derive(Clone, Debug)]
pub struct Page {
    /// When it arrived, on the test's own clock.
    pub at: Instant,
    /// Its body.
    pub body: Value,
    /// Whether its signature fits.
    pub signed: bool,
    /// What the pager answered.
    pub answered: StatusCode,
}

impl Page {
    /// A text field of the body, empty when it is missing.
    pub fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }

    /// A page that its sender says may have come before.
    pub fn possible_duplicate(&self) -> bool {
        self.body["possible_duplicate"].as_bool().unwrap_or_default()
    }
}

/// A webhook receiver on a port of its own. It lives as long as the test.
#[derive(Clone, Debug)]
pub struct Pager {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    secret: String,
    answer: Mutex<StatusCode>,
    pages: watch::Sender<Vec<Page>>,
}

impl Pager {
    /// A receiver that checks signatures made with `secret` and answers 200.
    ///
    /// # Panics
    /// When the machine has no free port.
    pub async fn start(secret: &str) -> Self {
        Self::start_at("127.0.0.1", "127.0.0.1", secret).await
    }

    /// The same for senders in containers, who find it by the name `pager`.
    ///
    /// # Panics
    /// When the machine has no free port.
    pub async fn start_for_containers(secret: &str) -> Self {
        Self::start_at("0.0.0.0", "pager", secret).await
    }

    async fn start_at(address: &str, name: &str, secret: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.expect("the machine has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let url = format!("http://{name}:{port}/page");
        let shared = Arc::new(Shared {
            secret: secret.to_owned(),
            answer: Mutex::new(StatusCode::OK),
            pages: watch::Sender::default(),
        });
        let router = Router::new().route("/page", post(receive)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on it answers with `status`.
    pub fn answer(&self, status: StatusCode) {
        *lock(&self.shared.answer) = status;
    }

    /// What has arrived so far, in order.
    pub fn pages(&self) -> Vec<Page> {
        self.shared.pages.borrow().clone()
    }

    /// Waits until `enough` holds of what has arrived, at most `limit`; what has arrived then.
    ///
    /// # Errors
    /// What had arrived when the time was over.
    pub async fn wait_for(&self, limit: Duration, enough: impl Fn(&[Page]) -> bool) -> Result<Vec<Page>, Vec<Page>> {
        let mut arriving = self.shared.pages.subscribe();
        let waited = tokio::time::timeout(limit, arriving.wait_for(|pages| enough(pages))).await;
        if matches!(waited, Ok(Ok(_))) { Ok(self.pages()) } else { Err(self.pages()) }
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let answered = *lock(&shared.answer);
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let page = Page {
        at: now(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        signed: fits(&shared.secret, signature, &body),
        answered,
    };
    shared.pages.send_modify(|pages| pages.push(page));
    answered
}

#[expect(clippy::disallowed_methods, reason = "the pager is outside of the system and has a clock of its own")]
fn now() -> Instant {
    Instant::now()
}

fn fits(secret: &str, signature: &str, body: &[u8]) -> bool {
    let part = |name: &str| signature.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let (Some(time), Some(given)) = (part("t"), part("v1")) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex(&mac.finalize().into_bytes()) == given
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_only_its_own_body_time_and_secret() {
        // Computed with openssl: HMAC-SHA256 with the key "key" of "1.{}".
        let digest = "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224";
        assert!(fits("key", &format!("t=1,v1={digest}"), b"{}"));
        assert!(!fits("key", &format!("t=2,v1={digest}"), b"{}"));
        assert!(!fits("key", &format!("t=1,v1={digest}"), b"{ }"));
        assert!(!fits("other", &format!("t=1,v1={digest}"), b"{}"));
        assert!(!fits("key", "", b"{}"));
    }
}
