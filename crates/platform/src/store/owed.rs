//! Watches what the outbox owes: how long the oldest row of each lane has waited, for monitoring and for readiness; and
//! tells an operator when the bus does not take what is live.
//!
//! What counts is that a row was too old in two rounds: who was only stopped for a while has sent it by then.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_contracts::event::Lane;
use lasegue_contracts::{Service, platform};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::outbox::{self, Class, Waiting};
use super::{Store, StoreError};
use crate::wire;

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_secs(5);
/// How long something live may wait.
const LATE: TimeDelta = TimeDelta::seconds(30);

/// What waits too long, if anything does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Late {
    /// Live events that the bus has not taken: since when the oldest waits.
    pub owed: Option<DateTime<Utc>>,
    /// Live events that reached their reader in no way: since when the oldest waits.
    pub unheard: Option<DateTime<Utc>>,
}

/// Looks at what `store` owes and shows in `late` what waits too long, until `stop`.
pub async fn watch_owed(store: Store, late: watch::Sender<Late>, stop: CancellationToken) {
    let mut watching = Watching { store, late, owed: None, unheard: None, told: false };
    let clock = watching.store.clock().clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(EVERY) => {}
        }
        if let Err(error) = watching.round().await {
            let (service, error) = (watching.store.service(), crate::chain(&error));
            tracing::error!(%service, error, "it is not known how long events have waited");
        }
    }
}

struct Watching {
    store: Store,
    late: watch::Sender<Late>,
    /// What was oldest in the round before.
    owed: Option<Waiting>,
    unheard: Option<Waiting>,
    /// Whether the operator was told of what waits now.
    told: bool,
}

impl Watching {
    async fn round(&mut self) -> Result<(), StoreError> {
        let (service, now, db) = (self.store.service(), self.store.clock().now(), self.store.reader());
        let mut live: Option<Waiting> = None;
        for (class, lane) in [(Class::RedFlag, "red-flag"), (Class::Live, "live"), (Class::Bulk, "bulk")] {
            let oldest = outbox::oldest_owed(db, class).await?;
            let waited = oldest.map_or(TimeDelta::zero(), |row| now - row.since);
            metrics::gauge!("outbox_oldest_seconds", "service" => service.name(), "lane" => lane)
                .set(waited.as_seconds_f64().max(0.0));
            live = [live, oldest.filter(|_| class != Class::Bulk)].into_iter().flatten().min_by_key(|row| row.since);
        }
        let unheard = outbox::oldest_unheard(db, service).await?;
        let before = [std::mem::replace(&mut self.owed, live), std::mem::replace(&mut self.unheard, unheard)];
        let late = |row: Option<Waiting>, before| row.filter(|row| before == Some(*row) && now - row.since >= LATE);
        let late = Late {
            owed: late(live, before[0]).map(|row| row.since),
            unheard: late(unheard, before[1]).map(|row| row.since),
        };
        self.late.send_replace(late);
        self.tell(late.owed).await
    }

    /// Tells the operator once, until nothing waits too long any more.
    async fn tell(&mut self, since: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let Some(since) = since.filter(|_| !self.told) else {
            self.told &= since.is_some();
            return Ok(());
        };
        let service = self.store.service();
        tracing::error!(%service, %since, "the bus has not taken live events for too long: an operator is told");
        let told: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    let event = held_up(service, since, unit.now());
                    unit.publish(Lane::Live, Uuid::nil(), &event).await
                })
            })
            .await;
        told?;
        self.told = true;
        Ok(())
    }
}

fn held_up(service: Service, since: DateTime<Utc>, now: DateTime<Utc>) -> platform::EventsHeldUp {
    platform::EventsHeldUp {
        episode_id: String::new(),
        service: service.name().to_owned(),
        since: Some(wire::timestamp(since)),
        at: Some(wire::timestamp(now)),
        nothing_stored: false,
        damaged: false,
    }
}
