//! Where the files of tokens are: the private half with whoever makes tokens, the public half with every role.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::TokenError;
use super::file::put;
use super::symmetric::SYMMETRIC_KEY_FILE;

/// Folders are for their owner alone.
const FOLDER_MODE: u32 = 0o700;

/// Where what tokens are made and verified with is.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The private half and the index: for whoever makes tokens.
    pub private: PathBuf,
    /// The public halves and the revoked tokens: for every role.
    pub public: PathBuf,
}

impl Folders {
    /// In the data folder of one process.
    pub fn of_data(folder: &Path) -> Self {
        Self { private: folder.to_owned(), public: folder.join("tokens") }
    }

    /// Copies every file that is there to its place in `to`, unless one is there already: they belong together.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn copy_into(&self, to: &Self) -> Result<(), TokenError> {
        if to.files().iter().any(|file| file.exists()) {
            return Ok(());
        }
        let _lock = self.public.exists().then(|| self.lock()).transpose()?;
        for (from, to) in self.files().into_iter().zip(to.files()).filter(|(from, _)| from.exists()) {
            make(to.parent().unwrap_or(&to))?;
            put(&to, &fs::read(&from).map_err(|source| TokenError::file(&from, source))?)?;
        }
        Ok(())
    }

    /// Waits until nobody else makes tokens here. The public half is locked, for the private one may be the data folder,
    /// which belongs to the process in it.
    pub(super) fn lock(&self) -> Result<File, TokenError> {
        let lock = || {
            let file = File::open(&self.public)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|source| TokenError::file(&self.public, source))
    }

    /// Whether tokens were ever made or verified here.
    pub fn are_used(&self) -> bool {
        self.files().iter().any(|file| file.exists())
    }

    /// Whether tokens were made with the private half while nothing of them is in the public one: it is another's, then.
    pub fn are_apart(&self) -> bool {
        let published = [keys_file(&self.public), revoked_file(&self.public)];
        index_file(&self.private).exists() && !published.iter().any(|file| file.exists())
    }

    fn files(&self) -> [PathBuf; 5] {
        [
            self.private.join(SYMMETRIC_KEY_FILE),
            index_file(&self.private),
            revoked_file(&self.public),
            keys_file(&self.public),
            key_file(&self.private),
        ]
    }
}

/// Makes `folder` for its owner alone, unless it is there.
pub(super) fn make(folder: &Path) -> Result<(), TokenError> {
    let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
    made.map_err(|source| TokenError::file(folder, source))
}

/// The key that signs.
pub(super) fn key_file(folder: &Path) -> PathBuf {
    folder.join("signing.key")
}

/// The tokens that were made.
pub(super) fn index_file(folder: &Path) -> PathBuf {
    folder.join("issued.json")
}

/// The keys that verify.
pub(super) fn keys_file(folder: &Path) -> PathBuf {
    folder.join("keys.json")
}

/// The tokens that were taken back.
pub(super) fn revoked_file(folder: &Path) -> PathBuf {
    folder.join("revoked.json")
}
