//! The key that signs an installation's tokens, in a file of its own.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretBox};

use crate::random::Random;

/// The file's name in its folder.
pub const KEY_FILE: &str = "token.key";
/// The key's length in bytes.
pub const KEY_LENGTH: usize = 32;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the token key {path} cannot be read or made: check that the folder exists and belongs to you")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("the token key {0} is damaged: remove it to make a new one; tokens made before then become invalid")]
    Damaged(PathBuf),
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// The key that signs tokens.
#[derive(Debug)]
pub struct SigningKey(SecretBox<[u8; KEY_LENGTH]>);

impl SigningKey {
    /// A new key, kept nowhere.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Box::new([0; KEY_LENGTH]);
        random.fill(&mut *bytes);
        Self(SecretBox::new(bytes))
    }

    /// The key in `folder`, which must be there.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn load(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(KEY_FILE);
        let bytes = fs::read(&path).map_err(|source| KeyError::File { path: path.clone(), source })?;
        let bytes: [u8; KEY_LENGTH] = bytes.try_into().map_err(|_| KeyError::Damaged(path))?;
        Ok(Self(SecretBox::new(Box::new(bytes))))
    }

    /// The key of the data folder, made at first use. Two processes that start together end with the same one.
    ///
    /// # Errors
    /// When the file cannot be read, made, or holds something else.
    pub fn load_or_create(folder: &Path, random: &dyn Random) -> Result<Self, KeyError> {
        let path = folder.join(KEY_FILE);
        let failed = |source| KeyError::File { path: path.clone(), source };
        if !path.try_exists().map_err(failed)? {
            Self::generate(random).publish(folder, &path, random).map_err(failed)?;
        }
        Self::load(folder)
    }

    /// Writes the key beside its place, whole and synced, then links it there unless another has come first.
    fn publish(&self, folder: &Path, path: &Path, random: &dyn Random) -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let draft = folder.join(format!("{KEY_FILE}.{}", random.below(u64::MAX)));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(self.bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => fs::File::open(folder)?.sync_all(),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone_and_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = SigningKey::load_or_create(folder.path(), &SystemRandom).expect("it is made");
        let second = SigningKey::load_or_create(folder.path(), &SystemRandom).expect("it is read");
        assert_eq!(first.bytes(), second.bytes());
        let mode = fs::metadata(folder.path().join(KEY_FILE)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no draft is left");
    }

    #[test]
    fn a_damaged_key_is_refused_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(KEY_FILE), b"short").expect("it is written");
        let refused = SigningKey::load_or_create(folder.path(), &SystemRandom);
        assert!(matches!(refused, Err(KeyError::Damaged(_))));
    }
}
