//! What a process knows of tokens at one moment.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use uuid::Uuid;

use super::Authentication;
use super::claims::Claims;
use super::crypto;
use super::published::{KeySet, PublishedKey, RevokedList};
use super::symmetric::{LONGEST_OF_SYMMETRIC, SymmetricKey};

/// Keys and revoked tokens.
pub(super) struct Known {
    keys: HashMap<String, (DecodingKey, PublishedKey)>,
    symmetric: Option<(DecodingKey, DateTime<Utc>)>,
    revoked: Revoked,
}

/// The tokens that were taken back.
#[derive(Default)]
pub(super) struct Revoked {
    tokens: HashSet<Uuid>,
    /// Of each name, until when what was made is refused, in seconds of Unix time.
    subjects: HashMap<String, i64>,
}

impl Revoked {
    /// Whether the token `id` of `subject`, made at `made_at`, is among them.
    pub(super) fn has(&self, id: &Uuid, subject: &str, made_at: i64) -> bool {
        self.tokens.contains(id) || self.subjects.get(subject).is_some_and(|until| made_at <= *until)
    }
}

impl From<RevokedList> for Revoked {
    fn from(list: RevokedList) -> Self {
        let mut subjects = HashMap::new();
        for entry in list.subjects {
            let until = subjects.entry(entry.subject).or_insert(i64::MIN);
            *until = entry.made_until.timestamp().max(*until);
        }
        Self { tokens: list.tokens.into_iter().map(|token| token.jti).collect(), subjects }
    }
}

impl Known {
    pub(super) fn new(keys: KeySet, revoked: RevokedList, symmetric: Option<&SymmetricKey>) -> Self {
        crypto::install();
        let symmetric = symmetric.zip(keys.symmetric_until);
        let symmetric = symmetric.map(|(key, until)| (DecodingKey::from_secret(key.bytes()), until));
        // A key goes by the id that follows from it, whatever the file says.
        let keyed =
            |key: PublishedKey| (key.x.id().as_str().to_owned(), (DecodingKey::from_ed_der(key.x.as_bytes()), key));
        Self { keys: keys.keys.into_iter().map(keyed).collect(), symmetric, revoked: revoked.into() }
    }

    /// What `token` says at `now`.
    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Authentication {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Authentication::Forged };
        let Some((key, algorithm, symmetric)) = self.key_of(&header, now) else { return Authentication::Forged };
        let mut validation = Validation::new(algorithm);
        // Times are judged below, against the injected clock.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        validation.required_spec_claims.clear();
        match jsonwebtoken::decode::<Claims>(token, key, &validation) {
            Ok(token) => {
                let longest = symmetric.unwrap_or(token.claims.role.longest_life());
                token.claims.judge(longest, &self.revoked, now)
            }
            Err(_) => Authentication::Forged,
        }
    }

    /// The one key that a token with `header` may be of, with the key's own algorithm and what its tokens may live for,
    /// unless their roles say so.
    fn key_of(&self, header: &Header, now: DateTime<Utc>) -> Option<(&DecodingKey, Algorithm, Option<TimeDelta>)> {
        if let Some(id) = &header.kid {
            let (key, published) = self.keys.get(id)?;
            return published.counts(now).then_some((key, Algorithm::EdDSA, None));
        }
        let (key, until) = self.symmetric.as_ref()?;
        (now < *until).then_some((key, Algorithm::HS256, Some(LONGEST_OF_SYMMETRIC)))
    }
}
