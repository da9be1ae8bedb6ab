//! Replacing the key that signs tokens: two keys at a time, so that nobody is signed out, or at once, so that everybody is.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::file::put;
use super::folders::key_file;
use super::published::{KeySet, PublishedKey, RevokedList};
use super::symmetric::SYMMETRIC_KEY_FILE;
use super::{Issuer, TokenError};
use crate::clock::Clock;
use crate::keys::SigningKey;
use crate::random::Random;

/// How long a new key is published before it signs: by then every role has read it.
const READ_BY_THEN: Duration = Duration::from_secs(1);
/// How long the old key counts while it is replaced at once: if that is interrupted it ends all the same.
const REPLACED_BY_THEN: TimeDelta = TimeDelta::seconds(10);

impl Issuer {
    /// Replaces the key: a new one signs from now on, and the old one verifies until its last token ends, which is given
    /// when there is one. With `at_once` it does not, nor does any other: every token that was made ends. A former version's
    /// key ends in any case.
    ///
    /// # Errors
    /// When tokens of the key before are still valid (not with `at_once`), or a file cannot be used.
    pub async fn rotate(
        self,
        at_once: bool,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Option<DateTime<Utc>>, TokenError> {
        let now = clock.now();
        let last = if at_once { Some(now + REPLACED_BY_THEN) } else { self.last_end(now)? };
        let next = SigningKey::generate(random);
        let old = last.map(|end| PublishedKey::of(&self.key).until(end));
        let keys = [PublishedKey::of(&next)].into_iter().chain(old).collect();
        self.publish(&KeySet { keys, symmetric_until: None })?;
        clock.sleep(READ_BY_THEN).await;
        put(&key_file(&self.folders.private), next.seed())?;
        remove(&self.folders.private.join(SYMMETRIC_KEY_FILE))?;
        if at_once {
            self.publish(&KeySet { keys: vec![PublishedKey::of(&next)], symmetric_until: None })?;
            self.put_revoked(&RevokedList::default(), &[])?;
        }
        Ok(last.filter(|_| !at_once))
    }

    /// When the last token of the present key ends.
    fn last_end(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, TokenError> {
        let before = self.keys()?.keys.into_iter().filter(|key| key.kid != self.key.id());
        if let Some(end) = before.filter_map(|key| key.retires_at).filter(|end| *end > now).max() {
            return Err(TokenError::StillRetiring(end));
        }
        let ours = self.index()?.into_iter().filter(|issued| issued.kid == self.key.id());
        Ok(ours.map(|issued| issued.ends_at).filter(|end| *end > now).max())
    }
}

fn remove(file: &Path) -> Result<(), TokenError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(TokenError::file(file, error)),
        _ => Ok(()),
    }
}
