//! Who calls: bearer tokens signed by this installation, and the role each one gives.
//!
//! A token is a JSON Web Token (HS256) with subject, role and end. The key lives in the data folder, readable by its
//! owner alone; who holds it can make tokens.

mod key;
mod role;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

pub use self::key::{KEY_FILE, KEY_LENGTH, KeyError, SigningKey};
pub use self::role::{Role, UnknownRole};
use crate::clock::SharedClock;
use crate::http::Problem;

/// The longest a token may be valid.
pub const LONGEST_VALIDITY: TimeDelta = TimeDelta::days(366);

/// Who calls, and in which role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name that is written into what this caller signs.
    pub subject: String,
    /// What the caller may do.
    pub role: Role,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: Role,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Makes a token for `identity`, valid until `end`; `id` tells tokens apart.
///
/// # Errors
/// When the key cannot sign.
pub fn issue(
    key: &SigningKey,
    identity: &Identity,
    id: uuid::Uuid,
    now: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<String, KeyError> {
    let claims = Claims {
        sub: identity.subject.clone(),
        role: identity.role,
        iat: now.timestamp(),
        exp: end.min(now + LONGEST_VALIDITY).timestamp(),
        jti: id.to_string(),
    };
    let secret = EncodingKey::from_secret(key.bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &secret).map_err(KeyError::Sign)
}

/// Knows whose token it is. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// Verifies tokens made with `key`.
    pub fn new(key: &SigningKey) -> Self {
        Self { key: DecodingKey::from_secret(key.bytes()) }
    }

    fn verify(&self, token: &str, now: DateTime<Utc>) -> Authentication {
        let mut validation = Validation::new(Algorithm::HS256);
        // The end is checked below, against the injected clock.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        match jsonwebtoken::decode::<Claims>(token, &self.key, &validation) {
            Ok(token) if token.claims.exp <= now.timestamp() => Authentication::Expired,
            Ok(token) => Authentication::Is(Identity { subject: token.claims.sub, role: token.claims.role }),
            Err(_) => Authentication::Forged,
        }
    }
}

/// What a request's token says. Without a token it is nobody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    Nobody,
    Malformed,
    Forged,
    Expired,
    Is(Identity),
}

impl Authentication {
    pub(crate) fn identity(self) -> Result<Identity, Problem> {
        match self {
            Self::Is(identity) => Ok(identity),
            Self::Nobody => Err(unauthorized("Send the header `Authorization: Bearer <token>`.", "Bearer")),
            Self::Malformed => Err(unauthorized(
                "The Authorization header must read `Bearer <token>`.",
                "Bearer error=\"invalid_request\"",
            )),
            Self::Forged => {
                Err(unauthorized("The token was not made by this installation.", "Bearer error=\"invalid_token\""))
            }
            Self::Expired => {
                Err(unauthorized("The token has expired: get a new one.", "Bearer error=\"invalid_token\""))
            }
        }
    }
}

fn unauthorized(detail: &str, challenge: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "The caller is not known")
        .detail(detail)
        .header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// Puts into each request what its token says; the guard of each route decides.
pub(crate) async fn authenticate(
    State((verifier, clock)): State<(Verifier, SharedClock)>,
    mut request: Request,
    next: Next,
) -> Response {
    let authentication = match request.headers().get(AUTHORIZATION).map(HeaderValue::to_str) {
        None => Authentication::Nobody,
        Some(Ok(value)) => match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                verifier.verify(token.trim(), clock.now())
            }
            _ => Authentication::Malformed,
        },
        Some(Err(_)) => Authentication::Malformed,
    };
    request.extensions_mut().insert(authentication);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn token(key: &SigningKey) -> String {
        let identity = Identity { subject: "dr-a".to_owned(), role: Role::Clinician };
        let (now, end) = (at("2026-01-21T09:00:00Z"), at("2026-01-21T21:00:00Z"));
        issue(key, &identity, uuid::Uuid::nil(), now, end).expect("a key signs")
    }

    #[test]
    fn a_token_says_who_calls_until_it_ends() {
        let key = SigningKey::generate(&*SystemRandom::shared());
        let (verifier, token) = (Verifier::new(&key), token(&key));
        let identity = Identity { subject: "dr-a".to_owned(), role: Role::Clinician };
        assert_eq!(verifier.verify(&token, at("2026-01-21T20:59:59Z")), Authentication::Is(identity));
        assert_eq!(verifier.verify(&token, at("2026-01-21T21:00:00Z")), Authentication::Expired);
    }

    #[test]
    fn a_token_of_another_installation_or_a_changed_one_is_forged() {
        let (ours, theirs) =
            (SigningKey::generate(&*SystemRandom::shared()), SigningKey::generate(&*SystemRandom::shared()));
        let now = at("2026-01-21T10:00:00Z");
        assert_eq!(Verifier::new(&ours).verify(&token(&theirs), now), Authentication::Forged);
        // The same header and claims with no algorithm and no signature.
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token(&ours).split('.').nth(1).expect("claims"));
        assert_eq!(Verifier::new(&ours).verify(&unsigned, now), Authentication::Forged);
        assert_eq!(Verifier::new(&ours).verify("", now), Authentication::Forged);
    }
}
