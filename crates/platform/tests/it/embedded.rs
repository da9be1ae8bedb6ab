//! The conformance suite on the embedded bus.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lasegue_platform::bus::{Bus, EmbeddedBus};
use lasegue_platform::clock::SystemClock;

use crate::conformance::{self, PATIENCE, World};

/// The embedded bus lives and dies with its process: a restart is a new one.
struct Embedded(Mutex<EmbeddedBus>);

#[async_trait]
impl World for Embedded {
    async fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(self.0.lock().expect("no test panics with it").clone())
    }

    async fn restart(&self) {
        *self.0.lock().expect("no test panics with it") = EmbeddedBus::new(SystemClock::shared());
    }
}

macro_rules! suite {
    ($($check:ident)*) => {
        $(#[tokio::test]
        async fn $check() {
            let world = Embedded(Mutex::new(EmbeddedBus::new(SystemClock::shared())));
            tokio::time::timeout(PATIENCE, conformance::$check(&world)).await.expect("the check is stuck");
        })*
    };
}

suite! {
    events_reach_a_consumer_that_joins_later
    competing_consumers_share_the_events
    replicas_that_join_a_busy_stream_repeat_nothing
    a_failed_event_comes_again_after_its_delay
    a_lost_ack_repeats_the_delivery_but_not_the_effect
    what_was_not_acked_survives_a_restart_of_everything
    a_drained_consumer_finishes_what_it_holds_and_its_successor_goes_on
    an_event_that_cannot_be_understood_is_set_aside_and_told
    lag_counts_what_waits
    an_event_that_nobody_takes_is_done_at_once
    a_reader_restored_from_a_backup_is_given_again_what_it_lacks_then
}
