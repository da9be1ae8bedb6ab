//! How long published rows and handled events are remembered.

use std::time::Duration;

use super::super::{Store, StoreError, inbox, outbox};

/// How long published rows are kept, so that a transport that lost them can be given them again.
const KEEP_PUBLISHED: Duration = Duration::from_hours(24);
/// How long the inbox remembers: far longer than any row is published again.
const KEEP_HANDLED: Duration = Duration::from_hours(24 * 14);
/// Published rows removed by one sweep.
const FORGET: u64 = 1_024;

/// Removes what is older.
pub(super) async fn forget(store: &Store) -> Result<(), StoreError> {
    let now = store.clock().now();
    store
        .commit(move |unit| {
            Box::pin(async move {
                outbox::forget(unit.db(), now - KEEP_PUBLISHED, FORGET).await?;
                inbox::forget(unit.db(), now - KEEP_HANDLED).await?;
                Ok(())
            })
        })
        .await
}
