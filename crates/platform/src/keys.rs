//! Ed25519 keys: the private half signs, the public half verifies, and an id names the pair.
//!
//! A private half is 32 bytes, in memory that is wiped and in files for one owner. A public half is written as in JSON Web
//! Keys (RFC 8037): base64url without padding.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::random::Random;

/// Bytes of either half.
pub const KEY_LENGTH: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_LENGTH: usize = 64;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key {path} cannot be read: check that it is there and belongs to you")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("the key {0} is damaged: it has to be {KEY_LENGTH} bytes")]
    Damaged(PathBuf),
    /// A text is no public half.
    #[error("no Ed25519 key: it has to be {KEY_LENGTH} bytes, in base64url without padding")]
    Unreadable,
}

/// The private half: signs.
pub struct SigningKey {
    seed: SecretBox<[u8; KEY_LENGTH]>,
    pair: Ed25519KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.id()).finish()
    }
}

impl SigningKey {
    /// A new key, kept nowhere.
    pub fn generate(random: &dyn Random) -> Self {
        let mut seed = Box::new([0; KEY_LENGTH]);
        random.fill(&mut *seed);
        Self::from_seed(seed)
    }

    /// The key in the file at `path`: its [`Self::seed`].
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = fs::read(path).map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        let seed: [u8; KEY_LENGTH] = bytes.try_into().map_err(|_| KeyError::Damaged(path.to_owned()))?;
        Ok(Self::from_seed(Box::new(seed)))
    }

    pub(crate) fn from_seed(seed: Box<[u8; KEY_LENGTH]>) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("any 32 bytes are a seed");
        Self { seed: SecretBox::new(seed), pair }
    }

    /// What a file keeps of it: the secret itself.
    pub fn seed(&self) -> &[u8; KEY_LENGTH] {
        self.seed.expose_secret()
    }

    /// The signature over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        let mut signature = [0; SIGNATURE_LENGTH];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }

    /// The public half.
    pub fn verifying(&self) -> VerifyingKey {
        let mut bytes = [0; KEY_LENGTH];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        VerifyingKey(bytes)
    }

    /// The id of the pair.
    pub fn id(&self) -> KeyId {
        self.verifying().id()
    }
}

/// The public half: verifies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifyingKey([u8; KEY_LENGTH]);

impl VerifyingKey {
    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }

    pub(crate) const fn from_bytes(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// The id of the pair: the thumbprint of RFC 7638, so everybody finds the same one.
    pub fn id(&self) -> KeyId {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{self}"}}"#);
        KeyId(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)))
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Unreadable)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::Unreadable)
    }
}

impl TryFrom<String> for VerifyingKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<VerifyingKey> for String {
    fn from(key: VerifyingKey) -> Self {
        key.to_string()
    }
}

/// Names a pair of keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    /// The key of RFC 8037, appendix A.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

    #[test]
    fn what_one_half_signs_the_other_verifies_and_nothing_else() {
        let (ours, theirs) = (SigningKey::generate(&SystemRandom), SigningKey::generate(&SystemRandom));
        let signature = ours.sign(b"a page");
        assert!(ours.verifying().verifies(b"a page", &signature));
        assert!(!ours.verifying().verifies(b"another", &signature));
        assert!(!theirs.verifying().verifies(b"a page", &signature));
        assert!(!ours.verifying().verifies(b"a page", &signature[1..]));
        assert_ne!(ours.id(), theirs.id());
    }

    #[test]
    fn keys_and_their_ids_are_those_of_the_standard() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, URL_SAFE_NO_PAD.decode(D).expect("it is base64url")).expect("the folder takes a file");
        let key = SigningKey::read(&path).expect("it is a key").verifying();
        assert_eq!(key.to_string(), X);
        assert_eq!(X.parse::<VerifyingKey>().expect("it is a key"), key);
        assert_eq!(key.id().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        assert!(matches!(SigningKey::read(&path), Err(KeyError::File { .. })));
        fs::write(&path, b"short").expect("the folder takes a file");
        assert!(matches!(SigningKey::read(&path), Err(KeyError::Damaged(_))));
        for text in ["", "AAAA", &format!("{X}="), &format!("{X}AAAA"), "+/+/"] {
            assert!(text.parse::<VerifyingKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_private_half_shows_its_id_alone() {
        let key = SigningKey::generate(&SystemRandom);
        assert_eq!(format!("{key:?}"), format!("SigningKey({:?})", key.id()));
    }
}
