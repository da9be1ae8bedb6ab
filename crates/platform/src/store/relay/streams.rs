//! Looks whether the streams are still there: whoever may manage the server may remove one while the connection stays.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{Store, recovery};
use crate::bus::Bus;

/// How often it is looked. What is live and not taken goes straight to its reader meanwhile.
const EVERY: Duration = Duration::from_secs(5);

/// Tells `lost` when a stream was removed, until `stop`.
pub(super) async fn watch(store: Store, bus: Arc<dyn Bus>, lost: mpsc::Sender<()>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = store.clock().sleep(EVERY) => {}
        }
        if bus.is_away(store.service()) {
            continue;
        }
        match recovery::is_another(&store, &*bus).await {
            // Full: it was told already.
            Ok(true) => _ = lost.try_send(()),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(service = %store.service(), error = crate::chain(&error), "it is not known whether the bus has its streams");
            }
        }
    }
}
