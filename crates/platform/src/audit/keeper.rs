//! What works beside a service for its audit, as long as its process lives: it keeps what was repeated, seals, tells the
//! head, and removes what is old.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::{Sealer, forget, refused};
use crate::signed::EventKeys;
use crate::store::Store;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// How often the head is told, and what is old is looked for.
const TOLD_EVERY: TimeDelta = TimeDelta::hours(1);

struct Keeper {
    store: Store,
    keys: Arc<EventKeys>,
    sealer: Sealer,
    next: DateTime<Utc>,
    /// Sealing failed the last time: that is told once.
    failing: bool,
}

/// Does it all until `stop`, and then what is left.
pub(crate) async fn run(store: Store, keys: Arc<EventKeys>, stop: CancellationToken) {
    let sealer = Sealer::new(store.clone(), keys.clone());
    let mut keeper = Keeper { next: store.clock().now(), store, keys, sealer, failing: false };
    while !stop.is_cancelled() {
        keeper.round().await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = keeper.store.clock().sleep(EVERY) => {}
        }
    }
    refused::keep_rest(&keeper.store).await;
    keeper.next = DateTime::UNIX_EPOCH;
    keeper.round().await;
}

impl Keeper {
    async fn round(&mut self) {
        refused::keep_repeated(&self.store).await;
        let (service, now) = (self.store.service(), self.store.clock().now());
        let sealed = self.sealer.seal().await;
        if let Err(error) = &sealed {
            metrics::counter!("audit_seals_failed_total", "service" => service.name()).increment(1);
            if !self.failing {
                tracing::error!(target: "audit", %service, error = crate::chain(error), "the audit cannot be sealed");
            }
        }
        self.failing = sealed.is_err();
        if let Ok(head) = sealed
            && now >= self.next
        {
            self.next = now + TOLD_EVERY;
            tracing::info!(target: "audit", %service, head = %head, "the head of the audit: keep this line elsewhere");
            if let Err(error) = forget::old(&self.store, &self.keys).await {
                tracing::error!(target: "audit", %service, error = crate::chain(&error), "old rows were not removed");
            }
        }
    }
}
