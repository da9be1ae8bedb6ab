//! What a reader tells the senders of its events: which of them it has handled for good.

use std::collections::HashSet;

use async_trait::async_trait;
use uuid::Uuid;

use crate::bus::{BusError, Memory};
use crate::chain;
use crate::store::{Store, dead_letters, inbox};

/// The memory of one consumer in this process: its inbox, and its dead letters, which are kept besides.
pub(super) struct Remembered {
    id: Uuid,
    consumer: &'static str,
    store: Store,
}

impl Remembered {
    pub(super) fn new(consumer: &'static str, store: Store) -> Self {
        Self { id: store.random().id(store.clock().now()), consumer, store }
    }
}

#[async_trait]
impl Memory for Remembered {
    fn id(&self) -> Uuid {
        self.id
    }

    async fn handled(&self, events: &[Uuid]) -> Result<Vec<Uuid>, BusError> {
        let reading = async {
            let mut known = inbox::known(self.store.reader(), self.consumer, events).await?;
            let lacking: HashSet<_> = events.iter().copied().filter(|event| !known.contains(event)).collect();
            if !lacking.is_empty() {
                known.extend(dead_letters::known(self.store.reader(), self.consumer, &lacking).await?);
            }
            Ok::<_, sea_orm::DbErr>(known)
        };
        reading.await.map_err(|error| BusError::Refused(chain(&error)))
    }
}
