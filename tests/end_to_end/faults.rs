//! Kills of the one process: it dies at any instant, again and again, and keeps every promise it made.

use std::time::Duration;

use lasegue_testkit::installation::Installation;
use lasegue_testkit::wait::pause;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::ledger::{Writers, every_promise_is_kept_by_any_protocol};
use crate::unrest::Unrest;

#[tokio::test]
async fn nothing_accepted_is_lost_over_20_kills() {
    kills(1, 20).await;
}

#[tokio::test]
#[ignore = "takes some minutes: run it with `cargo xtask faults`"]
async fn nothing_accepted_is_lost_over_1000_kills() {
    kills(2, 1_000).await;
}

/// Each kill comes in the middle of submissions, pages, an import, or a change of the protocol.
async fn kills(seed: u64, count: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut clinic = crate::clinic().await;
    let unrest = Unrest::start(&clinic, seed).await;
    let writers = Writers::start(&clinic.caller(), seed);
    for _ in 0..count {
        pause(Duration::from_millis(random.random_range(20..600))).await;
        clinic.kill();
        clinic.start_again().await;
    }
    pause(Duration::from_millis(500)).await;
    let (ledger, done) = (writers.stop().await, unrest.stop().await);
    assert!(ledger.len() >= count, "the kills left hardly any time to write: {} for {count}", ledger.len());
    every_promise_is_kept_by_any_protocol(&clinic, &ledger).await;
    done.is_kept(&clinic.caller()).await;
}
