//! One row's way to the bus.

use std::sync::Arc;
use std::time::Duration;

use lasegue_contracts::topology::Consumer;
use tokio::sync::mpsc;

use super::super::Store;
use super::super::outbox::{Outgoing, Published};
use super::mark::Mark;
use crate::bus::{Bus, BusError};

/// How long a row that the bus refused waits for its next try.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Tries once to hand a row over, and tells the marker how that went. Gives back the row.
pub(super) async fn send(store: Store, bus: Arc<dyn Bus>, outgoing: Outgoing, marks: mpsc::Sender<Mark>) -> i64 {
    let published = match outgoing.copy {
        Some(copy) => bus.publish_again(&outgoing.envelope, copy).await,
        None => bus.publish(&outgoing.envelope).await,
    };
    let mark = match published {
        Ok(place) => {
            let proved = place.is_none() || Consumer::of(&outgoing.envelope.subject).is_none();
            let refused = outgoing.refused.then_some(outgoing.envelope.id);
            Mark::Published(Published { row: outgoing.row, place, proved, refused })
        }
        Err(BusError::Unread { place }) => {
            let refused = outgoing.refused.then_some(outgoing.envelope.id);
            Mark::Published(Published { row: outgoing.row, place: Some(place), proved: false, refused })
        }
        Err(BusError::Never(reason)) => Mark::Refused(outgoing.clone(), reason),
        Err(error) => {
            tracing::warn!(service = %store.service(), event = %outgoing.envelope.id, error = crate::chain(&error), "an event could not be published yet");
            store.clock().sleep(AFTER_FAILURE).await;
            Mark::GivenBack(outgoing.row)
        }
    };
    // The marker outlives the senders, so this cannot fail while a row is under way.
    let _ = marks.send(mark).await;
    outgoing.row
}
