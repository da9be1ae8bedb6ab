//! Extractors whose refusals are problem documents.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::problem::{Fault, Problem};
use crate::auth::Identity;

/// A JSON body of a fixed shape. Where all faults must be found at once, read the bytes and parse them instead.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| Problem::of_status(rejection.status()).detail(rejection.body_text()))?;
        serde_json::from_slice(&bytes)
            .map(Body)
            .map_err(|error| Problem::refused([Fault { pointer: String::new(), reason: error.to_string() }]))
    }
}

/// Query parameters of a fixed shape.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::bad_request(rejection.body_text())),
        }
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
