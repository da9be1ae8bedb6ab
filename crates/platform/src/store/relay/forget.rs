//! How long rows, handled events and settled dead letters are remembered.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::super::{Store, StoreError, dead_letters, inbox, outbox};

/// How old a backup may be when it is restored, unless [`Store::restorable_for`] says otherwise: so long a row is kept once
/// its reader has handled it, so that a reader who went back to a backup is given again what it lacks then.
pub const RESTORABLE_FOR: Duration = Duration::from_hours(24 * 14);
/// How much longer the inbox remembers than any row is kept: one that is published again must not have its effect twice.
const LONGER: Duration = Duration::from_hours(24 * 14);
/// How often something is removed. Nothing that leaves waits for it.
const EVERY: Duration = Duration::from_secs(1);
/// Rows removed at once.
const FORGET: u64 = 1_024;

/// Removes what is older, again and again until `stop`.
pub(super) async fn forget(store: Store, stop: CancellationToken) {
    loop {
        if let Err(error) = some(&store).await {
            tracing::error!(service = %store.service(), error = crate::chain(&error), "what is old could not be removed");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = store.clock().sleep(EVERY) => {}
        }
    }
}

async fn some(store: &Store) -> Result<(), StoreError> {
    let (now, restorable) = (store.clock().now(), store.restorable());
    store
        .background()
        .commit(move |unit| {
            Box::pin(async move {
                outbox::forget(unit.db(), now - restorable, FORGET).await?;
                inbox::forget(unit.db(), now - restorable - LONGER).await?;
                dead_letters::forget(unit.db(), now - dead_letters::KEEP_SETTLED, FORGET).await?;
                Ok(())
            })
        })
        .await
}
