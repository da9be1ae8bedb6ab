//! Why tokens can be neither made nor verified.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::keys::KeyError;

/// Why tokens can be neither made nor verified; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file cannot be used.
    #[error(
        "{path} cannot be read or written: `lasegue up` makes it in its data folder, `lasegue secrets` for processes of their own, and it has to belong to the account that reads it"
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error(
        "{path} is damaged: take it from a backup, or remove it and end every token with `lasegue token rotate --now`"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The list of revoked tokens is gone.
    #[error(
        "the list of revoked tokens {0} is gone: take it from a backup, or end every token with `lasegue token rotate --now`"
    )]
    NoList(PathBuf),
    /// Tokens are made elsewhere, or the key that makes them is lost.
    #[error(
        "{key} is not there, and tokens are made with it: name the data folder of `lasegue up`, or the folder `token` of the secrets. When it is lost, remove {keys} and start again: a new key is made, and every token ends"
    )]
    NotHere {
        /// The private half.
        key: PathBuf,
        /// The public half, which is there.
        keys: PathBuf,
    },
    /// The signing key is not the one that is published without an end.
    #[error("replacing the key was interrupted: run `lasegue token rotate` again")]
    Interrupted,
    /// Two keys are in use already.
    #[error("tokens of the key before are valid until {0}: wait until then, or end every token with --now")]
    StillRetiring(DateTime<Utc>),
    /// A list is full.
    #[error("{0} is full: end every token with `lasegue token rotate --now`")]
    Full(PathBuf),
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

impl TokenError {
    pub(super) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, source: serde_json::Error) -> Self {
        Self::Damaged { path: path.to_owned(), source }
    }
}
