//! What every process may know of tokens, in two files of one folder: the keys that verify them, and those that were taken
//! back. Neither is secret; who can write them decides who gets in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::{KeyId, SigningKey, VerifyingKey};

/// The keys that verify tokens: a JSON Web Key Set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct KeySet {
    pub(super) keys: Vec<PublishedKey>,
    /// Until when the one key of a former version counts where it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) symmetric_until: Option<DateTime<Utc>>,
}

/// A key of the set: Ed25519, for signatures of tokens and nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PublishedKey {
    kty: KeyType,
    crv: Curve,
    alg: Algorithm,
    #[serde(rename = "use")]
    purpose: Purpose,
    pub(super) kid: KeyId,
    pub(super) x: VerifyingKey,
    /// When its last token ends; the key that signs has no such end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum KeyType {
    #[serde(rename = "OKP")]
    OctetKeyPair,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Curve {
    Ed25519,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Algorithm {
    EdDSA,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Purpose {
    #[serde(rename = "sig")]
    Signature,
}

impl PublishedKey {
    /// The public half of the key that signs.
    pub(super) fn of(key: &SigningKey) -> Self {
        let x = key.verifying();
        Self {
            kty: KeyType::OctetKeyPair,
            crv: Curve::Ed25519,
            alg: Algorithm::EdDSA,
            purpose: Purpose::Signature,
            kid: x.id(),
            x,
            retires_at: None,
        }
    }

    /// The same for a key that signs no more, until its last token ends.
    pub(super) fn until(self, end: DateTime<Utc>) -> Self {
        Self { retires_at: Some(end), ..self }
    }

    /// Whether it verifies tokens at `now`.
    pub(super) fn counts(&self, now: DateTime<Utc>) -> bool {
        self.retires_at.is_none_or(|end| now < end)
    }
}

/// Tokens that are refused although their time is not over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RevokedList {
    pub(super) tokens: Vec<RevokedToken>,
    pub(super) subjects: Vec<RevokedSubject>,
}

/// One token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RevokedToken {
    pub(super) jti: Uuid,
    pub(super) revoked_at: DateTime<Utc>,
    /// When it ends, and need not be listed any more.
    pub(super) ends_at: DateTime<Utc>,
}

/// Every token of one name that was made until an instant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RevokedSubject {
    pub(super) subject: String,
    pub(super) made_until: DateTime<Utc>,
    /// When the last of them ends.
    pub(super) ends_at: DateTime<Utc>,
}

impl RevokedList {
    /// Without what has ended by itself.
    pub(super) fn pruned(mut self, now: DateTime<Utc>) -> Self {
        self.tokens.retain(|token| token.ends_at > now);
        self.subjects.retain(|subject| subject.ends_at > now);
        self
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len() + self.subjects.len()
    }
}
