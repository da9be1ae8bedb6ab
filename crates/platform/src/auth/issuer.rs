//! Making tokens, telling which there are, taking them back, and replacing the key that signs them: for whoever holds the
//! private half, and nobody else.

use std::fs::File;
use std::io::ErrorKind;

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_values::Person;
use uuid::Uuid;

use super::file::{get_json, put, put_json};
use super::folders::{index_file, key_file, keys_file, make, revoked_file};
use super::known::Revoked;
use super::published::{KeySet, PublishedKey, RevokedList, RevokedSubject, RevokedToken};
use super::symmetric::LONGEST_OF_SYMMETRIC;
use super::{Folders, Identity, Issued, Standing, TokenError, issue};
use crate::keys::SigningKey;
use crate::random::Random;

/// Tokens in the index, and entries in the list of revoked ones, at most.
const MOST: usize = 10_000;

/// The holder of the private half. Others wait while it lives.
#[derive(Debug)]
pub struct Issuer {
    pub(super) folders: Folders,
    pub(super) key: SigningKey,
    _lock: File,
}

impl Issuer {
    /// The issuer of `folders`, made at first use. `symmetric` says whether tokens of a former version's one key are about,
    /// which then count until the last of them ends.
    ///
    /// # Errors
    /// When tokens are made elsewhere, or a file cannot be used.
    pub fn open(
        folders: &Folders,
        symmetric: bool,
        now: DateTime<Utc>,
        random: &dyn Random,
    ) -> Result<Self, TokenError> {
        make(&folders.private)?;
        make(&folders.public)?;
        let lock = folders.lock()?;
        let key = Self::key(folders, random)?;
        let issuer = Self { folders: folders.clone(), key, _lock: lock };
        issuer.publish_what_is_missing(symmetric.then_some(now + LONGEST_OF_SYMMETRIC))?;
        Ok(issuer)
    }

    fn key(folders: &Folders, random: &dyn Random) -> Result<SigningKey, TokenError> {
        let file = key_file(&folders.private);
        if !file.exists() {
            let keys = keys_file(&folders.public);
            if keys.exists() {
                return Err(TokenError::NotHere { key: file, keys });
            }
            put(&file, SigningKey::generate(random).seed())?;
        }
        Ok(SigningKey::read(&file)?)
    }

    /// Publishes the key when none is, and that nothing was revoked before the first token is made. Once one was, neither a
    /// list that is lost nor the key of a former version comes back.
    fn publish_what_is_missing(&self, symmetric_until: Option<DateTime<Utc>>) -> Result<(), TokenError> {
        let Folders { private, public } = &self.folders;
        let is_first = !index_file(private).exists();
        if is_first && !revoked_file(public).exists() {
            put_json(&revoked_file(public), &RevokedList::default())?;
        }
        if !keys_file(public).exists() {
            let symmetric_until = symmetric_until.filter(|_| is_first);
            self.publish(&KeySet { keys: vec![PublishedKey::of(&self.key)], symmetric_until })?;
        }
        Ok(())
    }

    /// Makes a token for `identity`, valid from `now` until `end`, or as long as its role lets it.
    ///
    /// # Errors
    /// When a file cannot be used, or too many tokens are valid.
    pub fn issue(
        &self,
        identity: &Identity,
        random: &dyn Random,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<String, TokenError> {
        if !self.keys()?.keys.iter().any(|key| key.kid == self.key.id() && key.retires_at.is_none()) {
            return Err(TokenError::Interrupted);
        }
        let made_at = self.revoked()?.subjects.iter().filter(|revoked| revoked.subject == identity.subject).fold(
            now,
            // What is made in the second in which others were taken back is none of them.
            |at, revoked| at.max(revoked.made_until + TimeDelta::seconds(1)),
        );
        let (jti, ends_at) = (random.id(now), end.min(made_at + identity.role.longest_life()));
        let token = issue(&self.key, identity, jti, made_at, ends_at)?;
        let mut index = self.index()?;
        index.retain(|issued| issued.ends_at > now);
        let Identity { subject, role } = identity.clone();
        index.push(Issued { jti, subject, role, kid: self.key.id(), made_at, ends_at });
        self.put_index(&index)?;
        Ok(token)
    }

    /// Every token whose time is not over at `now`, with whether it would be taken.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn list(&self, now: DateTime<Utc>) -> Result<Vec<(Issued, Standing)>, TokenError> {
        let keys = self.keys()?;
        let revoked = Revoked::from(self.revoked()?);
        let standing = |issued: &Issued| {
            if revoked.has(&issued.jti, &issued.subject, issued.made_at.timestamp()) {
                Standing::Revoked
            } else if keys.keys.iter().any(|key| key.kid == issued.kid && key.counts(now)) {
                Standing::Valid
            } else {
                Standing::KeyRetired
            }
        };
        let alive = self.index()?.into_iter().filter(|issued| issued.ends_at > now);
        Ok(alive.map(|issued| (issued.clone(), standing(&issued))).collect())
    }

    /// Until when tokens of a former version's key count, of which there is no list.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn symmetric_until(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, TokenError> {
        Ok(self.keys()?.symmetric_until.filter(|until| *until > now))
    }

    /// Takes the token `jti` back, and gives it when it is in the index: one of a former version is not.
    ///
    /// # Errors
    /// When a file cannot be used, or the list is full.
    pub fn revoke(&self, jti: Uuid, now: DateTime<Utc>) -> Result<Option<Issued>, TokenError> {
        let index = self.index()?;
        let issued = index.iter().find(|issued| issued.jti == jti).cloned();
        let ends_at = issued.as_ref().map_or(now + LONGEST_OF_SYMMETRIC, |issued| issued.ends_at);
        let mut list = self.revoked()?.pruned(now);
        list.tokens.retain(|token| token.jti != jti);
        list.tokens.push(RevokedToken { jti, revoked_at: now, ends_at });
        self.put_revoked(&list, &index)?;
        Ok(issued)
    }

    /// Takes back every token of `subject` that was made until `now`, and gives those in the index.
    ///
    /// # Errors
    /// When a file cannot be used, or the list is full.
    pub fn revoke_all_of(&self, subject: &Person, now: DateTime<Utc>) -> Result<Vec<Issued>, TokenError> {
        let index = self.index()?;
        let subject = subject.to_string();
        let mut list = self.revoked()?.pruned(now);
        list.subjects.retain(|revoked| revoked.subject != subject);
        let ends_at = now + LONGEST_OF_SYMMETRIC;
        list.subjects.push(RevokedSubject { subject: subject.clone(), made_until: now, ends_at });
        self.put_revoked(&list, &index)?;
        Ok(index.into_iter().filter(|issued| issued.subject == subject && issued.ends_at > now).collect())
    }

    pub(super) fn publish(&self, keys: &KeySet) -> Result<(), TokenError> {
        put_json(&keys_file(&self.folders.public), keys)
    }

    pub(super) fn keys(&self) -> Result<KeySet, TokenError> {
        let file = keys_file(&self.folders.public);
        get_json(&file)?.ok_or_else(|| TokenError::file(&file, ErrorKind::NotFound.into()))
    }

    fn revoked(&self) -> Result<RevokedList, TokenError> {
        let file = revoked_file(&self.folders.public);
        get_json(&file)?.ok_or(TokenError::NoList(file))
    }

    /// The index is there from then on: whoever finds one makes no empty list of revoked tokens.
    pub(super) fn put_revoked(&self, list: &RevokedList, index: &[Issued]) -> Result<(), TokenError> {
        let file = revoked_file(&self.folders.public);
        if list.len() > MOST {
            return Err(TokenError::Full(file));
        }
        self.put_index(index)?;
        put_json(&file, list)
    }

    pub(super) fn index(&self) -> Result<Vec<Issued>, TokenError> {
        Ok(get_json(&index_file(&self.folders.private))?.unwrap_or_default())
    }

    fn put_index(&self, index: &[Issued]) -> Result<(), TokenError> {
        let file = index_file(&self.folders.private);
        if index.len() > MOST {
            return Err(TokenError::Full(file));
        }
        put_json(&file, &index)
    }
}
