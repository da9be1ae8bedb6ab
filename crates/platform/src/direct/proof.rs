//! How the two ends prove their names: an HMAC under the secret that only this pair of services knows.
//!
//! The caller's covers both names, the consumer, the instant and the body; the answer's covers the caller's proof and the
//! status, so that nobody else can say that an event was taken. A call that is caught and repeated changes nothing: the
//! inbox knows the event.

use std::fmt::Write;

use axum::http::{HeaderName, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use lasegue_contracts::Service;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The header with the sender's name.
pub(super) const SENDER: HeaderName = HeaderName::from_static("lasegue-sender");
/// The header with a proof: `t=<unix seconds>,v1=<hex>` of a call, `v1=<hex>` of an answer.
pub(super) const PROOF: HeaderName = HeaderName::from_static("lasegue-proof");
/// How far the clocks of two machines may differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) from: Service,
    pub(super) to: Service,
    pub(super) consumer: &'a str,
    pub(super) body: &'a [u8],
}

impl Call<'_> {
    /// The caller's proof.
    pub(super) fn prove(&self, secret: &SecretString, now: DateTime<Utc>) -> String {
        let time = now.timestamp().to_string();
        format!("t={time},v1={}", hex(&self.mac(secret, &time).finalize().into_bytes()))
    }

    /// Whether `proof` is the caller's, made about now.
    pub(super) fn is_proven(&self, secret: &SecretString, proof: &str, now: DateTime<Utc>) -> bool {
        let parts = proof.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="));
        let Some((time, given)) = parts else { return false };
        let made = time.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let fresh = made.is_some_and(|made| (now - made).abs() <= SKEW);
        fresh && bytes(given).is_some_and(|given| self.mac(secret, time).verify_slice(&given).is_ok())
    }

    fn mac(&self, secret: &SecretString, time: &str) -> Hmac<Sha256> {
        let head = format!("lasegue-direct call {} {} {} {time}\n", self.from, self.to, self.consumer);
        let mut mac = keyed(secret);
        mac.update(head.as_bytes());
        mac.update(self.body);
        mac
    }
}

/// The proof of the answer to a call that had the proof `call`.
pub(super) fn of_answer(secret: &SecretString, call: &str, status: StatusCode) -> String {
    format!("v1={}", hex(&answer(secret, call, status).finalize().into_bytes()))
}

/// Whether `proof` is that of the answer to `call`.
pub(super) fn answers(secret: &SecretString, call: &str, status: StatusCode, proof: &str) -> bool {
    let given = proof.strip_prefix("v1=").and_then(bytes);
    given.is_some_and(|given| answer(secret, call, status).verify_slice(&given).is_ok())
}

fn answer(secret: &SecretString, call: &str, status: StatusCode) -> Hmac<Sha256> {
    let mut mac = keyed(secret);
    mac.update(format!("lasegue-direct answer {call} {}\n", status.as_u16()).as_bytes());
    mac
}

fn keyed(secret: &SecretString) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes a key of any length")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair.filter(|pair| pair.len() == 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn call(body: &[u8]) -> Call<'_> {
        Call { from: Service::Assessment, to: Service::Alerting, consumer: "alerting-red-flags", body }
    }

    #[test]
    fn a_proof_holds_for_its_own_call_alone_and_only_for_a_while() {
        let (secret, other) = (SecretString::from("pair"), SecretString::from("another"));
        let proof = call(b"x").prove(&secret, NOW);
        assert!(call(b"x").is_proven(&secret, &proof, NOW + SKEW));
        assert!(!call(b"x").is_proven(&secret, &proof, NOW + SKEW + TimeDelta::seconds(1)));
        assert!(!call(b"y").is_proven(&secret, &proof, NOW));
        assert!(!call(b"x").is_proven(&other, &proof, NOW));
        assert!(!Call { from: Service::Scheduling, ..call(b"x") }.is_proven(&secret, &proof, NOW));
        assert!(!Call { to: Service::Assessment, ..call(b"x") }.is_proven(&secret, &proof, NOW));
        assert!(!Call { consumer: "alerting-visits", ..call(b"x") }.is_proven(&secret, &proof, NOW));
        for nonsense in ["", "t=0", "t=,v1=", "t=0,v1=00", "t=0,v1=é", "t=99999999999999999999,v1=00"] {
            assert!(!call(b"x").is_proven(&secret, nonsense, NOW), "{nonsense}");
        }
    }

    #[test]
    fn an_answer_is_that_of_this_call_and_this_status() {
        let secret = SecretString::from("pair");
        let proof = of_answer(&secret, "t=0,v1=aa", StatusCode::NO_CONTENT);
        assert!(answers(&secret, "t=0,v1=aa", StatusCode::NO_CONTENT, &proof));
        assert!(!answers(&secret, "t=0,v1=ab", StatusCode::NO_CONTENT, &proof));
        assert!(!answers(&secret, "t=0,v1=aa", StatusCode::SERVICE_UNAVAILABLE, &proof));
        assert!(!answers(&SecretString::from("x"), "t=0,v1=aa", StatusCode::NO_CONTENT, &proof));
    }
}
