//! What intake keeps only for a time. Whatever may still matter to a patient is kept as long as the episode: submissions,
//! adjudications, and the refusals of which on-call was told.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use lasegue_platform::Base;
use lasegue_platform::consume::HandlerError;
use lasegue_platform::store::timers::{OnTimer, Timer};
use lasegue_platform::store::{Store, StoreError, Unit};

use crate::store::{ahead, refusals, requests};

/// How long idempotency keys are kept, and refusals of which nobody was told.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(90);
/// How long the pieces of an import that broke off are kept: longer than any import may take.
const BROKEN_OFF: TimeDelta = TimeDelta::days(1);
/// Rows that one commit removes of each kind.
const AT_ONCE: u64 = 500;
/// How long after one round the next comes, when there is nothing more to remove and when there is.
const ROUND: TimeDelta = TimeDelta::hours(6);
const NEXT: TimeDelta = TimeDelta::seconds(2);

/// The kind of the one timer.
const FORGET: &str = "forget";

/// Removes what was kept long enough, from one start of the service to its end.
///
/// # Errors
/// When the store fails.
pub(crate) async fn start(base: &Base, store: &Store) -> Result<(), StoreError> {
    store.commit(|unit| Box::pin(async move { set(unit, NEXT).await })).await?;
    base.fire_timers(store, Arc::new(Forgetting { store: store.background() }));
    Ok(())
}

async fn set(unit: &mut Unit, after: TimeDelta) -> Result<(), StoreError> {
    let due = unit.now() + after;
    unit.set_timer(FORGET, "", due).await
}

struct Forgetting {
    store: Store,
}

#[async_trait]
impl OnTimer for Forgetting {
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError> {
        let timer = timer.clone();
        let done: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    if unit.claim_timer(&timer).await? {
                        let all = some(unit).await?;
                        set(unit, if all { ROUND } else { NEXT }).await?;
                    }
                    Ok(())
                })
            })
            .await;
        Ok(done?)
    }
}

/// Removes some. True when nothing old is left.
async fn some(unit: &Unit) -> Result<bool, StoreError> {
    let before = unit.now() - KEPT;
    let refusals = refusals::forget(unit.db(), before, AT_ONCE).await?;
    let keys = requests::forget(unit.db(), before, AT_ONCE).await?;
    let ahead = ahead::forget(unit.db(), unit.now() - BROKEN_OFF, AT_ONCE).await?;
    Ok(refusals && keys && ahead)
}
