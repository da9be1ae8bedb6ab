//! The index of tokens that were made, without the tokens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Role;
use crate::keys::KeyId;

/// A token that was made. What is in the index makes no token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Issued {
    /// The token's id.
    pub jti: Uuid,
    /// Whose it is.
    pub subject: String,
    /// What it may do.
    pub role: Role,
    /// The key that signed it.
    pub kid: KeyId,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
}

/// Whether a token in the index would be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Valid,
    /// It was taken back.
    Revoked,
    /// The key that signed it does not count any more.
    KeyRetired,
}
