//! Reading the audit from outside of the service: whether its chain is whole, and what is in it.

use lasegue_contracts::Service;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::{Filter, Mark, head, row};
use crate::signed::EventKeys;
use crate::store::{Location, StoreError, connect_to_read};

/// Rows that are read at once.
const PAGE: u64 = 1_000;

/// The audit of one service.
#[derive(Debug)]
pub struct Book {
    service: Service,
    db: DatabaseConnection,
}

/// What became of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Sealed rows that were looked at.
    pub rows: u64,
    /// Rows that wait for their seal: they are younger than a few seconds, or no process runs.
    pub unsealed: u64,
    /// Its head.
    pub head: Mark,
    /// Where it breaks first.
    pub broken: Option<Break>,
}

/// How a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A row does not fit its hash.
    #[error("row {0} was changed")]
    Changed(i64),
    /// A number is not there.
    #[error("row {0} is missing")]
    Missing(i64),
    /// The last row is not the one that the head names.
    #[error("the head does not fit row {0}")]
    Head(i64),
    /// The service did not sign the head.
    #[error("the head at {0} is not signed by the service: it was written by somebody else")]
    Signature(i64),
    /// It ends before a head that was noted.
    #[error("it ends at {end}, before the given head {wanted}: its end was removed")]
    CutOff {
        /// Where it ends.
        end: i64,
        /// What was noted.
        wanted: i64,
    },
    /// At a number that was noted another row stands.
    #[error("row {0} is not the one of the given head: everything up to it may have been written anew")]
    Rewritten(i64),
}

impl Book {
    /// That of `service`'s database at `location`, for reading alone; the service may run.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(service: Service, location: &Location) -> Result<Self, StoreError> {
        Ok(Self { service, db: connect_to_read(service, location).await? })
    }

    /// Walks the chain. With `keys` its head has to be signed; `noted` are heads that were told before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn verify(&self, keys: Option<&EventKeys>, noted: &[Mark]) -> Result<Verdict, StoreError> {
        let head = head::read(&self.db).await?;
        let mut walk = Walk { number: head.removed, hash: head.removed_hash.clone(), noted, rows: 0 };
        let mut broken = walk.to(head.number, &self.db).await?;
        if broken.is_none() && walk.hash != head.hash {
            broken = Some(Break::Head(head.number));
        }
        if broken.is_none() && keys.is_some_and(|keys| head.check(self.service, keys, 0).is_err()) {
            broken = Some(Break::Signature(head.number));
        }
        let end = head.number;
        let further = noted.iter().map(|mark| mark.number).filter(|wanted| *wanted > end).max();
        let broken = broken.or_else(|| further.map(|wanted| Break::CutOff { end, wanted }));
        let unsealed = row::count_unsealed(&self.db).await?;
        Ok(Verdict { rows: walk.rows, unsealed, head: head.mark(), broken })
    }

    /// The latest rows that `filter` lets through, oldest first, `most` at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list(&self, filter: &Filter, most: u64) -> Result<Vec<row::Model>, StoreError> {
        Ok(row::list(&self.db, filter, most).await?)
    }

    /// Lets go of the database.
    ///
    /// # Errors
    /// When that fails.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }
}

/// How far the chain was found to be whole.
struct Walk<'a> {
    number: i64,
    hash: Vec<u8>,
    noted: &'a [Mark],
    rows: u64,
}

impl Walk<'_> {
    async fn to(&mut self, end: i64, db: &impl ConnectionTrait) -> Result<Option<Break>, StoreError> {
        while self.number < end {
            let rows = row::sealed_after(db, self.number, end, PAGE).await?;
            if rows.is_empty() {
                return Ok(Some(Break::Missing(self.number + 1)));
            }
            if let Some(broken) = rows.into_iter().find_map(|row| self.step(&row)) {
                return Ok(Some(broken));
            }
        }
        Ok(None)
    }

    fn step(&mut self, row: &row::Model) -> Option<Break> {
        let next = self.number + 1;
        if row.number != Some(next) {
            return Some(Break::Missing(next));
        }
        let hash = row.hash_after(&self.hash, next);
        if row.hash.as_ref() != Some(&hash) {
            return Some(Break::Changed(next));
        }
        (self.number, self.hash, self.rows) = (next, hash, self.rows + 1);
        let other = |mark: &&Mark| mark.number == next && mark.hash != self.hash;
        self.noted.iter().find(other).map(|_| Break::Rewritten(next))
    }
}
