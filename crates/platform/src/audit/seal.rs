//! Sealing: each row gets the next number and a hash over itself and everything before it.
//!
//! One replica at a time holds the head, so that numbers have no gap. Where the service has a key the head is signed with
//! it, and one that was not is never built upon: who can write the database, and has no key, cannot write its past anew.

use std::sync::Arc;

use lasegue_contracts::Service;

use super::head::HeadError;
use super::{Mark, head, row};
use crate::signed::EventKeys;
use crate::store::{Store, StoreError, Unit};

/// Rows that one unit seals.
const BATCH: u64 = 64;

/// Why rows were not sealed; they stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else was at the head.
    #[error(transparent)]
    Head(#[from] HeadError),
}

impl From<sea_orm::DbErr> for SealError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// Seals the rows of one service.
#[derive(Debug)]
pub struct Sealer {
    store: Store,
    keys: Arc<EventKeys>,
    /// The furthest head that was seen.
    seen: i64,
}

impl Sealer {
    /// For `store`, with what its service signs with.
    pub fn new(store: Store, keys: Arc<EventKeys>) -> Self {
        Self { store, keys, seen: 0 }
    }

    /// Seals everything that is not, and gives the head.
    ///
    /// # Errors
    /// When the database fails, or the head is not the one that was left there.
    pub async fn seal(&mut self) -> Result<Mark, SealError> {
        let service = self.store.service();
        loop {
            let head = head::read(self.store.reader()).await?;
            head.check(service, &self.keys, self.seen)?;
            self.seen = head.number;
            if !row::any_unsealed(self.store.reader()).await? && !head.is_of_another_key(service, &self.keys) {
                return Ok(head.mark());
            }
            let (keys, seen) = (self.keys.clone(), self.seen);
            let sealing = self.store.background();
            sealing.commit(move |unit| Box::pin(seal_some(unit, service, keys, seen))).await?;
        }
    }
}

async fn seal_some(unit: &mut Unit, service: Service, keys: Arc<EventKeys>, seen: i64) -> Result<(), SealError> {
    let mut head = head::lock(unit.db()).await?;
    head.check(service, &keys, seen)?;
    let mut sealed = Vec::new();
    for row in row::unsealed(unit.db(), BATCH).await? {
        head.number += 1;
        head.hash = row.hash_after(&head.hash, head.number);
        sealed.push((row.id, head.number, head.hash.clone()));
    }
    row::seal(unit.db(), sealed).await?;
    Ok(head.write(unit.db(), service, &keys).await?)
}
