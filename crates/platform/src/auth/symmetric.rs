//! The one key of former versions, with which every process could make tokens. Nothing is signed with it any more.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretBox};

use super::TokenError;
use crate::keys::{KEY_LENGTH, KeyError};

/// The file's name in its folder.
pub const SYMMETRIC_KEY_FILE: &str = "token.key";
/// How long its tokens may live: what former versions gave at most.
pub(super) const LONGEST_OF_SYMMETRIC: TimeDelta = TimeDelta::days(366);

/// The key, where it is still there.
pub(super) struct SymmetricKey(SecretBox<[u8; KEY_LENGTH]>);

impl SymmetricKey {
    /// That in `folder`, if there is one.
    pub(super) fn find(folder: &Path) -> Result<Option<Self>, TokenError> {
        let path = folder.join(SYMMETRIC_KEY_FILE);
        match fs::read(&path) {
            Ok(bytes) => {
                let bytes: [u8; KEY_LENGTH] = bytes.try_into().map_err(|_| KeyError::Damaged(path))?;
                Ok(Some(Self(SecretBox::new(Box::new(bytes)))))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TokenError::file(&path, error)),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}
