//! The keeper of what alerting has: it removes what need not be kept any longer, a little at a time, behind all other work.
//!
//! What belongs to a patient's treatment, alerts with their history, is kept for years after it was closed; how a page
//! travelled, and the service's own troubles, for one. Nothing that is still open is ever removed.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use lasegue_platform::store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::store::retention::{self, Kept};

/// How often the keeper looks.
const EVERY: Duration = Duration::from_hours(1);
/// For how long it is kept how a page travelled, and what troubles the service itself had.
const OPERATIONS_DAYS: u64 = 365;

/// Removes what is past its time.
#[derive(Debug)]
pub struct Keeper {
    store: Store,
    keep_years: u32,
}

/// Before which instants what is done need not be kept any longer.
#[derive(Clone, Copy, Debug)]
struct Past {
    treatment: DateTime<Utc>,
    operations: DateTime<Utc>,
}

impl Keeper {
    /// A keeper who keeps what belongs to treatment for `keep_years`.
    pub fn new(store: &Store, keep_years: u32) -> Self {
        Self { store: store.background(), keep_years }
    }

    /// Looks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let clock = self.store.clock().clone();
        while !stop.is_cancelled() {
            if let Err(error) = self.round().await {
                let error = lasegue_platform::chain(&error);
                tracing::error!(error, "what is past its time could not be removed; it is tried again in an hour");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(EVERY) => {}
            }
        }
    }

    /// Removes all that is past its time; says how many rows of alerts and deliveries that was.
    ///
    /// # Errors
    /// When the database fails. What was removed before stays removed.
    pub async fn round(&self) -> Result<u64, StoreError> {
        let Past { treatment, operations } = self.past();
        let mut removed = 0;
        for (what, before) in [(Kept::Deliveries, operations), (Kept::OwnAlerts, operations), (Kept::Alerts, treatment)]
        {
            removed += self.remove(what, before).await?;
        }
        if removed > 0 {
            tracing::info!(removed, "what is past its time was removed");
        }
        Ok(removed)
    }

    fn past(&self) -> Past {
        let now = self.store.clock().now();
        let ago = |days| now.checked_sub_days(Days::new(days)).unwrap_or(DateTime::<Utc>::MIN_UTC);
        Past { treatment: ago(u64::from(self.keep_years) * 366), operations: ago(OPERATIONS_DAYS) }
    }

    async fn remove(&self, what: Kept, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let batch = self.store.commit(move |unit| Box::pin(retention::remove(unit, what, before)));
            match batch.await? {
                0 => return Ok(removed),
                some => removed += some,
            }
        }
    }
}
