//! Extractors whose refusals are problem documents.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use lasegue_values::instant;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer};
use uuid::Uuid;

use super::problem::{Fault, Problem};
use crate::auth::Identity;

/// A JSON body of a fixed shape. Where all faults must be found at once, read the bytes and parse them instead.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE),
            status => Problem::of_status(status).detail(rejection.body_text()),
        })?;
        if bytes.is_empty() {
            let reason = "is empty; send a JSON object".to_owned();
            return Err(Problem::refused([Fault { pointer: String::new(), reason }]));
        }
        serde_json::from_slice(&bytes).map(Body).map_err(|error| Problem::refused([fault(&error)]))
    }
}

/// What is wrong with a body, at the field that it is about if that is known.
fn fault(error: &serde_json::Error) -> Fault {
    let told = short(error);
    match told.split('`').nth(1) {
        Some(name) if told.starts_with("missing field ") => {
            Fault { pointer: format!("/{name}"), reason: "is required".to_owned() }
        }
        Some(name) if told.starts_with("unknown field ") => {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            Fault { pointer, reason: format!("is no field of this body: {told}") }
        }
        _ => Fault { pointer: String::new(), reason: told },
    }
}

/// The most characters of a reason: it may quote what the sender wrote.
const LONGEST_REASON: usize = 300;

fn short(error: &serde_json::Error) -> String {
    error.to_string().chars().take(LONGEST_REASON).collect()
}

/// Query parameters of a fixed shape.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let told = rejection.body_text();
                let why = told.trim_start_matches("Failed to deserialize query string: ");
                Err(Problem::bad_request(format!("The query behind the `?` cannot be understood: {why}")))
            }
        }
    }
}

/// An instant in a query. A `+` before its offset, which means a space there, is taken for what it was meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let meant = text.rsplit_once(' ').map(|(time, offset)| format!("{time}+{offset}"));
        let read = [Some(&text), meant.as_ref()].into_iter().flatten().find_map(|text| instant(text));
        read.map(|read| Self(read.to_utc())).ok_or_else(|| {
            de::Error::custom(
                "it must be an instant of the years 1900 to 2200, like 2026-01-21T09:00:00Z or 2026-01-21T09:00:00+01:00",
            )
        })
    }
}

/// The `{id}` of a path: an episode's, or whatever the route is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpisodeId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for EpisodeId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        id.parse().map(Self).map_err(|_| Problem::not_found("The id in the address is no UUID, so nothing bears it."))
    }
}

/// The longest idempotency key.
const LONGEST_KEY: usize = 200;

/// The `Idempotency-Key` header: 1 to 200 visible ASCII characters, new for each new thing, the same for each retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refused = |detail: &str| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency-key",
                "The Idempotency-Key header is missing or malformed",
            )
            .detail(detail)
        };
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Err(refused(
                "Send the header `Idempotency-Key` with a value of your own, new for each submission and the same for \
                 each retry, so that a retry is never taken twice.",
            ));
        };
        let key = value.to_str().unwrap_or_default();
        let visible = key.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        if key.is_empty() || key.len() > LONGEST_KEY || !visible {
            return Err(refused("A key has 1 to 200 visible ASCII characters."));
        }
        Ok(Self(key.to_owned()))
    }
}

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        if parts.headers.contains_key("idempotency-key") {
            return <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some);
        }
        Ok(None)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}
