//! What an operator is told of a database. It may keep nothing, so it is handed straight to alerting and is in no outbox.
//! Its id follows from its content, so that twice is once.

use chrono::{DateTime, SecondsFormat, Utc};
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::platform::EventsHeldUp;
use lasegue_contracts::topology::ALERTING_TROUBLES;
use lasegue_contracts::{Envelope, Event, Service};
use prost::Message as _;
use uuid::Uuid;

use super::Store;
use crate::bus::Bus;
use crate::telemetry::TraceContext;
use crate::wire;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The database stores nothing.
    NothingStored,
    /// Damage was met in it.
    Damaged,
}

impl Trouble {
    const fn word(self) -> &'static str {
        match self {
            Self::NothingStored => "nothing-stored",
            Self::Damaged => "damaged",
        }
    }
}

/// Tells of a trouble of `store` that there is since then. False when alerting has not taken it.
pub(super) async fn tell(store: &Store, bus: &dyn Bus, trouble: Trouble, since: DateTime<Utc>) -> bool {
    let (service, word) = (store.service(), trouble.word());
    tracing::error!(%service, %since, trouble = word, "an operator is told of the database");
    let envelope = envelope(service, trouble, since, store.clock().now());
    let told = bus.hand_over(&ALERTING_TROUBLES, &envelope).await;
    if let Err(error) = &told {
        let error = crate::chain(error);
        tracing::error!(%service, trouble = word, error, "alerting has not taken it: it is told again");
    }
    told.is_ok()
}

fn envelope(service: Service, trouble: Trouble, since: DateTime<Utc>, now: DateTime<Utc>) -> Envelope {
    let event = EventsHeldUp {
        episode_id: String::new(),
        service: service.name().to_owned(),
        since: Some(wire::timestamp(since)),
        at: Some(wire::timestamp(now)),
        nothing_stored: trouble == Trouble::NothingStored,
        damaged: trouble == Trouble::Damaged,
    };
    let content = format!("{service}/{}/{}", trouble.word(), since.to_rfc3339());
    Envelope {
        id: Uuid::new_v5(&Uuid::nil(), content.as_bytes()),
        event_type: EventsHeldUp::TYPE.to_owned(),
        subject: event::subject(service, Lane::Live, EventsHeldUp::NAME, Uuid::nil()),
        source: service.name().to_owned(),
        time: now.to_rfc3339_opts(SecondsFormat::Micros, true),
        trace_parent: TraceContext::new().to_string(),
        payload: event.encode_to_vec().into(),
    }
}
