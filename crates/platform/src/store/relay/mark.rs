//! Writes down what has left.

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::super::{Store, StoreError, outbox};

/// Marks that wait, and the most that one commit writes.
pub(super) const MARKS: usize = 512;

/// Writes down which rows are done, many in one commit.
pub(super) async fn mark(store: Store, mut marks: mpsc::Receiver<outbox::Published>) {
    let mut rows = Vec::with_capacity(MARKS);
    while marks.recv_many(&mut rows, MARKS).await > 0 {
        let now: DateTime<Utc> = store.clock().now();
        let batch = std::mem::take(&mut rows);
        let marked: Result<(), StoreError> = store
            .background()
            .commit(move |unit| {
                Box::pin(async move { outbox::mark_published(unit.db(), batch, now).await.map_err(StoreError::from) })
            })
            .await;
        if let Err(error) = marked {
            tracing::warn!(service = %store.service(), %error, "published events could not be marked: they are published again");
        }
    }
}
