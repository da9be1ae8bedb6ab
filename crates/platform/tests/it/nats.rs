//! The conformance suite on NATS JetStream, on the oldest server that the bus accepts and on the newest.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lasegue_contracts::assessment::RedFlagRaised;
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::topology::ALERTING_RED_FLAGS;
use lasegue_contracts::{Envelope, Event, Service};
use lasegue_platform::bus::{Bus, BusError, NatsBus, NatsConfig};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::tls;
use lasegue_testkit::containers::{NATS_NEWEST, NATS_OLDEST, Nats};
use lasegue_testkit::keys::event_keys;
use lasegue_testkit::wait::pause;
use uuid::Uuid;

use crate::conformance::{self, PATIENCE, Receiver, Sender, World};

#[tokio::test]
async fn a_server_without_room_for_the_streams_is_refused_with_what_to_do() {
    let world = NatsWorld::start(NATS_NEWEST).await;
    let config = NatsConfig { max_stream_bytes: 1 << 50, ..world.config };
    let refusal =
        NatsBus::connect(config, &[Service::Intake], &SystemClock::shared()).await.expect_err("no disk is so large");
    assert!(matches!(refusal, BusError::Misconfigured(_)), "{refusal}");
    assert!(
        refusal.to_string().contains("too little room") && refusal.to_string().contains("max_stream_bytes"),
        "{refusal}"
    );
}

impl NatsWorld {
    pub(crate) async fn start(version: &str) -> Self {
        tls::install();
        let server = Nats::start(version).await;
        let config = NatsConfig { max_stream_bytes: 64 << 20, ..NatsConfig::single(server.url(), event_keys()) };
        Self { server, config }
    }
}

/// A server that outlives the connections made to it.
pub(crate) struct NatsWorld {
    pub(crate) server: Nats,
    pub(crate) config: NatsConfig,
}

#[async_trait]
impl World for NatsWorld {
    async fn bus(&self) -> Arc<dyn Bus> {
        let services = [Service::Scheduling, Service::Alerting, Service::Assessment];
        Arc::new(
            NatsBus::connect(self.config.clone(), &services, &SystemClock::shared()).await.expect("the server is up"),
        )
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

fn red_flag() -> Envelope {
    Envelope {
        id: Uuid::from_u128(1),
        event_type: RedFlagRaised::TYPE.to_owned(),
        subject: event::subject(Service::Assessment, Lane::Live, RedFlagRaised::NAME, Uuid::from_u128(2)),
        source: Service::Assessment.name().to_owned(),
        time: "2026-01-21T09:00:00Z".to_owned(),
        trace_parent: String::new(),
        payload: Bytes::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_flag_stays_owed_until_its_reader_has_confirmed_it() {
    let world = NatsWorld::start(NATS_NEWEST).await;
    let (sender, reader) = (world.bus().await, world.bus().await);
    let red_flag = red_flag();
    assert_eq!(sender.publish(&red_flag).await, Err(BusError::Unread { place: 1 }));
    let mut deliveries = reader.subscribe(&ALERTING_RED_FLAGS, None).await.expect("the stream is there").deliveries;
    let (published, ()) = tokio::join!(sender.publish(&red_flag), async {
        let delivery = deliveries.next().await.expect("it was stored, though nobody had confirmed it");
        delivery.answer.ack().await.expect("the server is up");
    });
    assert_eq!(published, Ok(Some(1)), "published again, it keeps its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_configured_otherwise_is_refused_with_what_to_do() {
    let world = NatsWorld::start(NATS_NEWEST).await;
    world.bus().await;
    let config = NatsConfig { max_stream_bytes: 1 << 20, ..world.config.clone() };
    let refusal = NatsBus::connect(config, &[Service::Assessment], &SystemClock::shared()).await;
    let refusal = refusal.expect_err("the limit is another").to_string();
    assert!(refusal.contains("max_bytes is 67108864, wanted 1048576"), "{refusal}");
    assert!(refusal.contains("remove the folder `jetstream`"), "{refusal}");
}

/// A server whose streams hold some hundred events.
async fn cramped() -> NatsWorld {
    let mut world = NatsWorld::start(NATS_NEWEST).await;
    world.config.max_stream_bytes = 64 << 10;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_lets_go_of_what_every_reader_has_acked() {
    let world = cramped().await;
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    sender.send(600).await;
    receiver.saw(600).await;
    sender.all_done().await;
    let receiver = Receiver::over(receiver.drain().await, &world, &Arc::default()).await;
    sender.send(1).await;
    receiver.saw(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_stream_does_not_take_waits_in_the_outbox() {
    let world = cramped().await;
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    let reader = receiver.drain().await;
    sender.send(600).await;
    pause(Duration::from_secs(2)).await;
    assert!(sender.owes().await > 0);
    let receiver = Receiver::over(reader, &world, &Arc::default()).await;
    receiver.saw(600).await;
    sender.all_done().await;
}
