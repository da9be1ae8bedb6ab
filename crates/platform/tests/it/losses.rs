//! What the bus promises when the server loses what it had: the outbox publishes again, nothing has its effect twice.

use std::sync::Arc;

use lasegue_testkit::containers::{NATS_NEWEST, NATS_OLDEST};
use lasegue_testkit::firewall::Firewall;

use crate::conformance::{Receiver, Sender};
use crate::nats::NatsWorld;

macro_rules! on_both {
    ($($loss:ident)*) => {
        on_both! { newest NATS_NEWEST: $($loss)* }
        on_both! { oldest NATS_OLDEST: $($loss)* }
    };
    ($module:ident $version:ident: $($loss:ident)*) => {
        mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread")]
            async fn $loss() {
                super::$loss(NatsWorld::start($version).await).await;
            })*
        }
    };
}

on_both! {
    a_killed_server_costs_nothing_and_the_connections_come_back
    a_wiped_server_is_given_everything_again
    a_tail_that_was_lost_unread_is_published_again
    a_durable_ahead_of_a_stream_that_lost_its_tail_misses_nothing_new
    events_in_the_places_of_lost_ones_reach_a_durable_that_had_read_those
    connections_that_a_firewall_forgot_are_made_anew
}

async fn a_killed_server_costs_nothing_and_the_connections_come_back(world: NatsWorld) {
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    for round in 1..=3 {
        sender.send(20).await;
        world.server.restart().await;
        sender.send(20).await;
        receiver.saw(40 * round).await;
    }
    sender.all_done().await;
}

async fn a_wiped_server_is_given_everything_again(world: NatsWorld) {
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    sender.send(20).await;
    receiver.saw(20).await;
    let home = receiver.drain().await;
    sender.send(20).await;
    sender.all_done().await;
    world.server.wipe().await;
    let receiver = Receiver::over(home, &world, &Arc::default()).await;
    receiver.saw(20).await;
    sender.send(5).await;
    receiver.saw(25).await;
}

async fn a_tail_that_was_lost_unread_is_published_again(world: NatsWorld) {
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    sender.send(10).await;
    receiver.saw(10).await;
    let home = receiver.drain().await;
    world.server.keep_copy().await;
    sender.send(10).await;
    sender.all_done().await;
    world.server.lose_tails().await;
    let receiver = Receiver::over(home, &world, &Arc::default()).await;
    receiver.saw(10).await;
}

async fn a_durable_ahead_of_a_stream_that_lost_its_tail_misses_nothing_new(world: NatsWorld) {
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    sender.send(10).await;
    receiver.saw(10).await;
    world.server.keep_copy().await;
    sender.send(10).await;
    receiver.saw(20).await;
    sender.all_done().await;
    world.server.lose_tails().await;
    sender.send(10).await;
    receiver.saw(30).await;
}

async fn events_in_the_places_of_lost_ones_reach_a_durable_that_had_read_those(world: NatsWorld) {
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    sender.send(10).await;
    receiver.saw(10).await;
    world.server.keep_copy().await;
    sender.send(10).await;
    receiver.saw(20).await;
    sender.all_done().await;
    sender.end().await;
    let reader = receiver.drain().await;
    world.server.lose_tails().await;
    // Somebody else is faster than the reader: the stream is as long as it was before.
    let other = Sender::start(&world).await;
    other.send(15).await;
    other.all_done().await;
    let receiver = Receiver::over(reader, &world, &Arc::default()).await;
    receiver.saw(15).await;
}

async fn connections_that_a_firewall_forgot_are_made_anew(mut world: NatsWorld) {
    let firewall = Firewall::before(world.server.port()).await;
    world.config.url = format!("nats://127.0.0.1:{}", firewall.port());
    let sender = Sender::start(&world).await;
    let receiver = Receiver::start(&world, &Arc::default()).await;
    sender.send(20).await;
    receiver.saw(20).await;
    firewall.forget();
    sender.send(20).await;
    receiver.saw(40).await;
    sender.all_done().await;
}
