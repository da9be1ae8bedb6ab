//! What the bus promises when the server loses what it had: the outbox publishes again, nothing has its effect twice.

use std::sync::Arc;

use lasegue_testkit::containers::NATS_NEWEST;

use crate::conformance::{Receiver, Sender};
use crate::nats::NatsWorld;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_costs_nothing_and_the_connections_come_back() {
    let world = NatsWorld::start(NATS_NEWEST).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_server_is_given_everything_again() {
    let world = NatsWorld::start(NATS_NEWEST).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_was_lost_unread_is_published_again() {
    let world = NatsWorld::start(NATS_NEWEST).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_ahead_of_a_stream_that_lost_its_tail_misses_nothing_new() {
    let world = NatsWorld::start(NATS_NEWEST).await;
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
