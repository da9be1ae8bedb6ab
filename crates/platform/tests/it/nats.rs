//! The conformance suite on NATS JetStream, on the oldest server that the bus accepts and on the newest.

use std::sync::Arc;

use async_trait::async_trait;
use lasegue_contracts::Service;
use lasegue_platform::bus::{Bus, NatsBus, NatsConfig};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::tls;
use lasegue_testkit::containers::{NATS_NEWEST, NATS_OLDEST, Nats};

use crate::conformance::{self, PATIENCE, World};

impl NatsWorld {
    pub(crate) async fn start(version: &str) -> Self {
        tls::install();
        Self { server: Nats::start(version).await }
    }
}

/// A server that outlives the connections made to it.
pub(crate) struct NatsWorld {
    pub(crate) server: Nats,
}

#[async_trait]
impl World for NatsWorld {
    async fn bus(&self) -> Arc<dyn Bus> {
        let config = NatsConfig { max_stream_bytes: 64 << 20, ..NatsConfig::single(self.server.url()) };
        let services = [Service::Scheduling, Service::Alerting, Service::Assessment];
        Arc::new(NatsBus::connect(config, &services, &SystemClock::shared()).await.expect("the server is up"))
    }

    async fn restart(&self) {
        self.server.restart().await;
    }
}

macro_rules! suite {
    ($($check:ident)*) => {
        suite! { newest NATS_NEWEST: $($check)* }
        suite! { oldest NATS_OLDEST: $($check)* }
    };
    ($module:ident $version:ident: $($check:ident)*) => {
        mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                let world = NatsWorld::start($version).await;
                tokio::time::timeout(PATIENCE, conformance::$check(&world)).await.expect("the check is stuck");
            })*
        }
    };
}

suite! {
    events_reach_a_consumer_that_joins_later
    competing_consumers_share_the_events
    a_failed_event_comes_again_after_its_delay
    a_lost_ack_repeats_the_delivery_but_not_the_effect
    what_was_not_acked_survives_a_restart_of_everything
    a_drained_consumer_finishes_what_it_holds_and_its_successor_goes_on
    an_event_that_cannot_be_understood_is_set_aside_and_told
    lag_counts_what_waits
    an_event_that_nobody_takes_is_done_at_once
}
