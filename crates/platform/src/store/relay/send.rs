//! One row's way to the bus.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::super::Store;
use super::super::outbox::{self, Outgoing};
use crate::bus::Bus;

/// How long a row that the bus refused waits for its next try.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Tries once to hand a row over, and tells the marker when that went well. Gives back the row.
pub(super) async fn send(
    store: Store,
    bus: Arc<dyn Bus>,
    outgoing: Outgoing,
    done: mpsc::Sender<outbox::Published>,
) -> i64 {
    match bus.publish(&outgoing.envelope).await {
        Ok(place) => {
            // The marker outlives the senders, so this cannot fail while a row is under way.
            let _ = done.send((outgoing.row, place)).await;
        }
        Err(error) => {
            tracing::warn!(service = %store.service(), event = %outgoing.envelope.id, %error, "an event could not be published yet");
            store.clock().sleep(AFTER_FAILURE).await;
        }
    }
    outgoing.row
}
