//! Who calls: bearer tokens signed by this installation, and the role each one gives.
//!
//! A token is a JSON Web Token (`EdDSA`) with subject, role, id and end. Whoever holds the private half of the key makes
//! tokens ([`Issuer`]); every role verifies them ([`Verifier`]) with the public half and refuses those that were taken back.

mod claims;
mod crypto;
mod error;
mod file;
mod folders;
mod issued;
mod issuer;
mod known;
mod published;
mod refused;
mod role;
mod rotate;
mod symmetric;
mod verifier;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use uuid::Uuid;

pub use self::claims::CLOCK_SKEW;
use self::claims::Claims;
pub use self::error::TokenError;
pub use self::folders::Folders;
pub use self::issued::{Issued, Standing};
pub use self::issuer::Issuer;
use self::refused::RefusedSignIns;
pub use self::role::{Role, UnknownRole};
pub use self::symmetric::SYMMETRIC_KEY_FILE;
pub use self::verifier::{Follower, Verifier};
use crate::audit::Refused;
use crate::clock::SharedClock;
use crate::http::{Peer, Problem};
pub use crate::keys::SigningKey;

/// Who calls, and in which role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name that is written into what this caller signs.
    pub subject: String,
    /// What the caller may do.
    pub role: Role,
}

/// Makes a token for `identity`, valid from `now` until `end`, or as long as its role lets it; `id` tells tokens apart. No
/// index knows of it: see [`Issuer::issue`].
///
/// # Errors
/// When the key cannot sign.
pub fn issue(
    key: &SigningKey,
    identity: &Identity,
    id: Uuid,
    now: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<String, TokenError> {
    let claims = Claims {
        sub: identity.subject.clone(),
        role: identity.role,
        iat: now.timestamp(),
        nbf: Some(now.timestamp()),
        exp: end.min(now + identity.role.longest_life()).timestamp(),
        jti: id,
    };
    sign(key, &claims)
}

fn sign(key: &SigningKey, claims: &Claims) -> Result<String, TokenError> {
    crypto::install();
    let header = Header { kid: Some(key.id().as_str().to_owned()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(key.seed())).map_err(TokenError::Sign)
}

/// What a request's token says. Without a token it is nobody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    Nobody,
    Malformed,
    Forged,
    Expired,
    Revoked,
    /// Its time has not begun.
    Early,
    /// It would live longer than its role lets it.
    TooLong,
    /// Its subject is no name that anything could be signed with.
    Unnamed,
    /// Whose it is, and its id.
    Is(Identity, Uuid),
}

impl Authentication {
    /// Why somebody who wanted to sign in is refused. Who sends no token does not want to.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Nobody | Self::Is(..) => None,
            Self::Malformed => Some("malformed"),
            Self::Forged => Some("forged"),
            Self::Expired => Some("expired"),
            Self::Revoked => Some("revoked"),
            Self::Early => Some("early"),
            Self::TooLong => Some("too-long"),
            Self::Unnamed => Some("unnamed"),
        }
    }

    pub(crate) fn identity(self) -> Result<Identity, Problem> {
        match self {
            Self::Is(identity, _) => Ok(identity),
            Self::Nobody => Err(unauthorized("Send the header `Authorization: Bearer <token>`.", "Bearer")),
            Self::Malformed => Err(unauthorized(
                "The Authorization header must read `Bearer <token>`.",
                "Bearer error=\"invalid_request\"",
            )),
            Self::Forged => Err(invalid("The token was not made by this installation, or its key was replaced.")),
            Self::Expired => Err(invalid("The token has expired: get a new one.")),
            Self::Revoked => Err(invalid("The token was taken back: ask the operator for a new one.")),
            Self::Early => Err(invalid("The token's time has not begun: compare the clocks.")),
            Self::TooLong => Err(invalid("The token would live longer than its role lets it: get a new one.")),
            Self::Unnamed => Err(invalid(
                "The token's subject is no name of 1 to 200 printable characters: get one made for a name.",
            )),
        }
    }
}

fn invalid(detail: &str) -> Problem {
    unauthorized(detail, "Bearer error=\"invalid_token\"")
}

fn unauthorized(detail: &str, challenge: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "The caller is not known")
        .detail(detail)
        .header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// Puts into each request what its token says, and notes what is refused; the guard of each route decides.
pub(crate) async fn authenticate(
    State((verifier, clock, refused)): State<(Verifier, SharedClock, Arc<RefusedSignIns>)>,
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
    let (peer, reason) = (Peer::of(&request), authentication.refusal());
    if let Some(reason) = reason {
        refused.note(reason, peer, clock.now());
    }
    request.extensions_mut().insert(authentication);
    let response = next.run(request).await;
    if let Some(Refused(turned_away)) = response.extensions().get().filter(|_| reason.is_none()) {
        refused.note(turned_away, peer, clock.now());
    }
    response
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Header;

    use super::*;
    use crate::random::SystemRandom;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn now() -> DateTime<Utc> {
        at("2026-01-21T09:00:00Z")
    }

    fn key() -> SigningKey {
        SigningKey::generate(&SystemRandom)
    }

    fn dr_a() -> Identity {
        Identity { subject: "dr-a".to_owned(), role: Role::Clinician }
    }

    fn claims(role: Role) -> Claims {
        let now = now().timestamp();
        Claims { sub: "dr-a".to_owned(), role, iat: now, nbf: None, exp: now + 3_600, jti: Uuid::nil() }
    }

    fn of_subject(key: &SigningKey, subject: &str) -> Authentication {
        let claims = Claims { sub: subject.to_owned(), ..claims(Role::Clinician) };
        Verifier::new(key).verify(&sign(key, &claims).expect("a key signs"), now())
    }

    #[test]
    fn a_token_says_who_calls_until_it_ends() {
        let key = key();
        let token = issue(&key, &dr_a(), Uuid::nil(), now(), at("2026-01-21T21:00:00Z")).expect("a key signs");
        let verifier = Verifier::new(&key);
        assert_eq!(verifier.verify(&token, at("2026-01-21T20:59:59Z")), Authentication::Is(dr_a(), Uuid::nil()));
        assert_eq!(verifier.verify(&token, at("2026-01-21T21:00:00Z")), Authentication::Expired);
    }

    #[test]
    fn a_token_lives_no_longer_than_its_role_lets_it() {
        let key = key();
        let outcome = |claims: &Claims| Verifier::new(&key).verify(&sign(&key, claims).expect("a key signs"), now());
        for role in Role::ALL {
            let longest = role.longest_life().num_seconds();
            let living = |seconds| {
                let claims = claims(role);
                Claims { exp: claims.iat + seconds, ..claims }
            };
            assert!(matches!(outcome(&living(longest)), Authentication::Is(..)), "{role:?}");
            assert_eq!(outcome(&living(longest + 1)), Authentication::TooLong, "{role:?}");
            assert_eq!(outcome(&living(100 * 365 * 86_400)), Authentication::TooLong, "{role:?}");
            // Nor by saying that it was made later than now, or long ago.
            let ahead = Claims { iat: now().timestamp() + 90 * 365 * 86_400, ..living(100 * 365 * 86_400) };
            assert_eq!(outcome(&ahead), Authentication::TooLong, "{role:?}");
            let wrapped = Claims { iat: i64::MIN, exp: i64::MAX, ..claims(role) };
            assert_eq!(outcome(&wrapped), Authentication::TooLong, "{role:?}");
            let token = issue(&key, &Identity { role, ..dr_a() }, Uuid::nil(), now(), at("2126-01-01T00:00:00Z"));
            let token = token.expect("a key signs");
            assert!(matches!(Verifier::new(&key).verify(&token, now()), Authentication::Is(..)), "{role:?}");
        }
    }

    #[test]
    fn a_token_counts_from_its_beginning_but_for_the_skew_of_clocks() {
        let key = key();
        let outcome = |begin| {
            let claims = Claims { nbf: Some(now().timestamp() + begin), ..claims(Role::Clinician) };
            Verifier::new(&key).verify(&sign(&key, &claims).expect("a key signs"), now())
        };
        assert_eq!(outcome(0), Authentication::Is(dr_a(), Uuid::nil()));
        assert_eq!(outcome(CLOCK_SKEW.num_seconds()), Authentication::Is(dr_a(), Uuid::nil()));
        assert_eq!(outcome(CLOCK_SKEW.num_seconds() + 1), Authentication::Early);
        assert_eq!(outcome(i64::MAX - now().timestamp()), Authentication::Early);
    }

    #[test]
    fn a_token_whose_subject_could_sign_nothing_is_refused() {
        let key = key();
        for subject in ["", " ", "dr\na", "dr\0", "dr\u{202e}a", "\u{200b}", &"x".repeat(201)] {
            assert_eq!(of_subject(&key, subject), Authentication::Unnamed, "{subject:?}");
        }
    }

    #[test]
    fn a_name_signs_in_one_spelling_however_the_token_writes_it() {
        let identity = Identity { subject: "Zo\u{eb}".to_owned(), role: Role::Clinician };
        assert_eq!(of_subject(&key(), " Zoe\u{308} "), Authentication::Is(identity, Uuid::nil()));
    }

    #[test]
    fn a_token_of_another_installation_or_a_changed_one_is_forged() {
        let (ours, theirs) = (key(), key());
        let verifier = Verifier::new(&ours);
        let forged = |token: &str| assert_eq!(verifier.verify(token, now()), Authentication::Forged, "{token}");
        forged(&sign(&theirs, &claims(Role::Clinician)).expect("a key signs"));
        forged("");
        let token = sign(&ours, &claims(Role::Clinician)).expect("a key signs");
        let mut parts = token.split('.');
        let (header, rest) = (parts.next().expect("a header"), parts.next().expect("claims"));
        let signature = parts.next().expect("a signature");
        let other = sign(&ours, &claims(Role::System)).expect("a key signs");
        let other = other.split('.').nth(1).expect("claims");
        forged(&format!("{header}.{other}.{signature}"));
        forged(&format!("{header}.{rest}."));
        // The same claims with no algorithm and no signature.
        forged(&format!("eyJhbGciOiJub25lIn0.{rest}."));
    }

    /// With every header that could lead to a key, signed by everything that a role's folder holds.
    #[test]
    fn no_header_makes_a_key_serve_another_algorithm_than_its_own() {
        let (ours, theirs) = (key(), key());
        let public = ours.verifying();
        let kids = [None, Some(ours.id()), Some(theirs.id())].map(|id| id.map(|id| id.as_str().to_owned()));
        for kid in kids {
            let symmetric = Header { kid: kid.clone(), ..Header::new(Algorithm::HS256) };
            for secret in [&public.as_bytes()[..], public.to_string().as_bytes(), b""] {
                let token = hs256(&symmetric, &claims(Role::System), secret);
                assert_eq!(Verifier::new(&ours).verify(&token, now()), Authentication::Forged, "{kid:?}");
            }
            let header = Header { kid, ..Header::new(Algorithm::EdDSA) };
            let token = jsonwebtoken::encode(&header, &claims(Role::System), &EncodingKey::from_ed_der(theirs.seed()));
            assert_eq!(Verifier::new(&ours).verify(&token.expect("a key signs"), now()), Authentication::Forged);
        }
        // A right signature of a key that is not named, or is named otherwise, is none either.
        for kid in [None, Some("1".to_owned()), Some(String::new())] {
            let header = Header { kid, ..Header::new(Algorithm::EdDSA) };
            let token = jsonwebtoken::encode(&header, &claims(Role::System), &EncodingKey::from_ed_der(ours.seed()));
            assert_eq!(Verifier::new(&ours).verify(&token.expect("a key signs"), now()), Authentication::Forged);
        }
    }

    #[test]
    fn a_token_that_says_something_twice_is_forged_though_its_key_signed_it() {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let key = key();
        crypto::install();
        let signed = |header: &str, claims: &str| {
            let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
            let private = EncodingKey::from_ed_der(key.seed());
            let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &private, Algorithm::EdDSA);
            format!("{message}.{}", signature.expect("a key signs"))
        };
        let header = format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{}"}}"#, key.id().as_str());
        let claims = serde_json::to_string(&claims(Role::Clinician)).expect("it is JSON");
        let outcome = |token: &str| Verifier::new(&key).verify(token, now());
        assert_eq!(outcome(&signed(&header, &claims)), Authentication::Is(dr_a(), Uuid::nil()));
        let also = |text: &str, more: &str| format!("{},{more}}}", text.strip_suffix('}').expect("an object"));
        for more in [r#""sub":"dr-b""#, r#""role":"system""#, r#""exp":99999999999"#, r#""iat":0"#, r#""sub":"dr-a""#] {
            assert_eq!(outcome(&signed(&header, &also(&claims, more))), Authentication::Forged, "{more}");
        }
        for more in [r#""alg":"none""#, r#""alg":"EdDSA""#, r#""kid":"other""#] {
            assert_eq!(outcome(&signed(&also(&header, more), &claims)), Authentication::Forged, "{more}");
        }
    }

    /// A token as former versions made them.
    fn hs256(header: &Header, claims: &Claims, secret: &[u8]) -> String {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        use hmac::{Hmac, KeyInit, Mac};
        let part = |text: Vec<u8>| URL_SAFE_NO_PAD.encode(text);
        let header = part(serde_json::to_vec(header).expect("it is JSON"));
        let message = format!("{header}.{}", part(serde_json::to_vec(claims).expect("it is JSON")));
        let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any length");
        let signature = part(mac.chain_update(&message).finalize().into_bytes().to_vec());
        format!("{message}.{signature}")
    }

    #[test]
    fn how_long_tokens_live_is_in_the_documents() {
        let document = include_str!("../../../docs/api.md");
        for role in Role::ALL {
            let hours = role.longest_life().num_hours();
            let line = format!("| `{}` | {hours} hours |", role.name());
            assert!(document.contains(&line), "docs/api.md lacks {line}");
        }
        assert!(document.contains(&format!("{} seconds", CLOCK_SKEW.num_seconds())));
    }
}
