//! How long the audit is kept. Only sealed rows are removed, only from the front, and the head says from where on the chain
//! goes on.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{SealError, head, row};
use crate::signed::EventKeys;
use crate::store::{Store, Unit};

/// Ten years, with their leap days.
pub const KEPT_FOR: TimeDelta = TimeDelta::days(3_653);
/// Rows removed in one unit, and units in one round.
const BATCH: u64 = 256;
const UNITS: usize = 64;

/// Removes what is older.
pub(super) async fn old(store: &Store, keys: &Arc<EventKeys>) -> Result<(), SealError> {
    for _ in 0..UNITS {
        let keys = keys.clone();
        if !store.background().commit(move |unit| Box::pin(some(unit, keys))).await? {
            break;
        }
    }
    Ok(())
}

/// True when there may be more.
async fn some(unit: &mut Unit, keys: Arc<EventKeys>) -> Result<bool, SealError> {
    let (service, before) = (unit.service(), unit.now() - KEPT_FOR);
    let mut head = head::lock(unit.db()).await?;
    let first = row::sealed_after(unit.db(), head.removed, head.number, BATCH).await?;
    let old = first.into_iter().take_while(|row| row.at < before).filter_map(|row| row.number.zip(row.hash));
    let Some((number, hash)) = old.last() else { return Ok(false) };
    head.check(service, &keys, 0)?;
    row::remove_until(unit.db(), number).await?;
    (head.removed, head.removed_hash) = (number, hash);
    head.write(unit.db(), service, &keys).await?;
    Ok(true)
}
