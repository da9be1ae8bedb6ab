//! A signed HTTP POST.
//!
//! The header `Lasegue-Signature: t=<unix seconds>,v1=<hex>` holds the HMAC-SHA256 of `<t>.<body>` under the contact's
//! secret, so that a receiver can tell a page from a forgery and an old one from a new one.

use std::fmt::Write;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use lasegue_platform::tls;
use reqwest::{Client, StatusCode, Url, header, redirect};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::{Channel, Failure, Receipt};
use crate::page::Page;

/// The header that carries time and signature.
const SIGNATURE: &str = "Lasegue-Signature";
/// How long an attempt may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A webhook of one contact.
pub struct Webhook {
    http: Client,
    url: Url,
    secret: SecretString,
}

pub(super) fn client() -> Result<Client, reqwest::Error> {
    tls::client(|| {
        Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).no_proxy().user_agent("lasegue")
    })
}

impl Webhook {
    pub(super) const fn new(http: Client, url: Url, secret: SecretString) -> Self {
        Self { http, url, secret }
    }
}

#[async_trait]
impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn receipt(&self) -> Receipt {
        Receipt::Accepted
    }

    async fn send(&self, page: &Page) -> Result<(), Failure> {
        let body = serde_json::to_vec(page).map_err(|_| Failure::Refused)?;
        let request = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(SIGNATURE, signature(&self.secret, page.sent_at, &body))
            .body(body);
        let answer = request.send().await.map_err(|error| failure(&error))?;
        judge(answer.status())
    }
}

/// `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`.
fn signature(secret: &SecretString, at: DateTime<Utc>, body: &[u8]) -> String {
    let time = at.timestamp().to_string();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes a key of any length");
    for part in [time.as_bytes(), b".", body] {
        mac.update(part);
    }
    let start = format!("t={time},v1=");
    mac.finalize().into_bytes().iter().fold(start, |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_builder() {
        Failure::Refused
    } else if error.is_connect() {
        Failure::Unreachable
    } else if error.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Broken
    }
}

/// 2xx is a receipt; what the receiver may mend by itself is tried again; the rest needs a person.
fn judge(status: StatusCode) -> Result<(), Failure> {
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Err(Failure::Trouble),
        _ if status.is_server_error() => Err(Failure::Trouble),
        _ => Err(Failure::Refused),
    }
}

#[cfg(test)]
mod receivers;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_time_and_body() {
        // Computed with openssl: HMAC-SHA256 with the key "key" of "1.{}".
        let signed = signature(&"key".into(), DateTime::from_timestamp(1, 0).unwrap(), b"{}");
        assert_eq!(signed, "t=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224");
    }

    #[test]
    fn only_what_may_mend_itself_is_tried_again() {
        for status in [200, 202, 204] {
            assert_eq!(judge(StatusCode::from_u16(status).unwrap()), Ok(()));
        }
        for (status, temporary) in [
            (301, false),
            (400, false),
            (401, false),
            (404, false),
            (410, false),
            (408, true),
            (429, true),
            (500, true),
            (503, true),
        ] {
            let failure = judge(StatusCode::from_u16(status).unwrap()).unwrap_err();
            assert_eq!(failure.is_temporary(), temporary, "{status}");
        }
    }

    #[test]
    fn only_an_unreachable_receiver_has_certainly_not_got_the_page() {
        assert!(!Failure::Unreachable.may_have_arrived());
        assert!(
            [Failure::Timeout, Failure::Broken, Failure::Trouble, Failure::Refused]
                .iter()
                .all(|failure| failure.may_have_arrived())
        );
    }
}
