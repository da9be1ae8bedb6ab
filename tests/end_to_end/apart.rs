//! Each role in a process of its own, on NATS and PostgreSQL: any of them dies in the middle of a burst, or loses what it
//! had, and every promise is kept.

use std::time::Duration;

use lasegue_testkit::installation::{Fleet, Installation, Role};
use lasegue_testkit::wait::pause;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::ledger::{
    Burst, Ledger, Writers, every_promise_is_kept, every_promise_is_kept_by_any_protocol, every_red_flag_is_paged,
};
use crate::unrest::Unrest;

async fn fleet(replicas: usize) -> Fleet {
    Fleet::open(env!("CARGO_BIN_EXE_lasegue"), replicas).await
}

#[tokio::test]
async fn each_role_may_die_in_the_middle_of_a_burst() {
    let mut fleet = fleet(1).await;
    let mut ledger = Ledger::new();
    for role in Role::ALL {
        let burst = Burst::begin(&fleet.caller()).await;
        burst.middle().await;
        let [victim] = fleet.of(role)[..] else { panic!("one process of each role") };
        fleet.kill(victim);
        pause(Duration::from_millis(300)).await;
        fleet.start_again(victim).await;
        ledger.extend(burst.end().await);
    }
    every_promise_is_kept(&fleet, &ledger).await;
}

#[tokio::test]
async fn with_two_replicas_the_other_takes_over() {
    let mut fleet = fleet(2).await;
    let mut ledger = Ledger::new();
    for role in [Role::Assessment, Role::Scheduling, Role::Alerting] {
        let burst = Burst::begin(&fleet.caller()).await;
        burst.middle().await;
        let victim = fleet.of(role)[0];
        fleet.kill(victim);
        ledger.extend(burst.end().await);
        every_red_flag_is_paged(&fleet, &ledger).await;
        fleet.start_again(victim).await;
    }
    every_promise_is_kept(&fleet, &ledger).await;
}

#[tokio::test]
async fn while_one_replica_hangs_the_other_takes_over() {
    let fleet = fleet(2).await;
    let mut ledger = Ledger::new();
    for role in [Role::Assessment, Role::Scheduling, Role::Alerting] {
        let burst = Burst::begin(&fleet.caller()).await;
        burst.middle().await;
        let victim = fleet.of(role)[0];
        fleet.hang(victim);
        ledger.extend(burst.end().await);
        every_red_flag_is_paged(&fleet, &ledger).await;
        fleet.go_on(victim);
    }
    every_promise_is_kept(&fleet, &ledger).await;
}

#[tokio::test]
async fn nats_may_die_lose_its_last_seconds_and_lose_everything() {
    let fleet = fleet(1).await;
    let mut ledger = Ledger::new();
    let burst = Burst::begin(&fleet.caller()).await;
    burst.middle().await;
    fleet.ground.nats.restart().await;
    ledger.extend(burst.end().await);
    fleet.ground.nats.keep_copy().await;
    let burst = Burst::begin(&fleet.caller()).await;
    burst.middle().await;
    fleet.ground.nats.lose_tails().await;
    ledger.extend(burst.end().await);
    let burst = Burst::begin(&fleet.caller()).await;
    burst.middle().await;
    fleet.ground.nats.wipe().await;
    ledger.extend(burst.end().await);
    every_promise_is_kept(&fleet, &ledger).await;
}

#[tokio::test]
async fn postgres_may_die_in_the_middle_of_a_burst() {
    let fleet = fleet(1).await;
    let burst = Burst::begin(&fleet.caller()).await;
    burst.middle().await;
    fleet.ground.postgres.restart().await;
    let ledger = burst.end().await;
    fleet.all_ready().await;
    every_promise_is_kept(&fleet, &ledger).await;
}

#[tokio::test]
async fn nothing_accepted_is_lost_over_20_kills_of_any_part() {
    kills(1, 20).await;
}

#[tokio::test]
#[ignore = "takes some minutes: run it with `cargo xtask faults`"]
async fn nothing_accepted_is_lost_over_200_kills_of_any_part() {
    kills(2, 200).await;
}

/// Two replicas of each role; each kill takes any process, now and then a server, in the middle of whatever is under way.
async fn kills(seed: u64, count: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut fleet = fleet(2).await;
    let unrest = Unrest::start(&fleet, seed).await;
    let writers = Writers::start(&fleet.caller(), seed);
    for _ in 0..count {
        pause(Duration::from_millis(random.random_range(20..600))).await;
        match random.random_range(0..fleet.size() + 2) {
            0 => fleet.ground.nats.restart().await,
            1 => fleet.ground.postgres.restart().await,
            victim => {
                fleet.kill(victim - 2);
                pause(Duration::from_millis(random.random_range(0..500))).await;
                fleet.start_again(victim - 2).await;
            }
        }
    }
    fleet.all_ready().await;
    pause(Duration::from_millis(500)).await;
    let (ledger, done) = (writers.stop().await, unrest.stop().await);
    assert!(ledger.len() >= count, "the kills left hardly any time to write: {} for {count}", ledger.len());
    every_promise_is_kept_by_any_protocol(&fleet, &ledger).await;
    done.is_kept(&fleet.caller()).await;
}
