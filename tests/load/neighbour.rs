//! What a page takes while one other patient's episode is flooded with visits, beside the same without: in one process, and
//! with a process for each role.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lasegue_testkit::caller::{Caller, calm_visit};
use lasegue_testkit::installation::{Clinic, Fleet, Installation};
use lasegue_testkit::wait::pause;
use tokio::task::JoinSet;

use crate::measure::{pages, report, times};

/// Episodes that are flooded, one after the other.
const FLOODS: usize = 4;
/// Visits of each flood.
const VISITS: usize = 500;
/// The time between two of them: a flood takes five seconds.
const BETWEEN: Duration = Duration::from_millis(10);
/// Pages measured while nobody else is there.
const QUIET: usize = 300;
/// Pages measured at most beside the floods.
const MOST: usize = 5_000;

pub(crate) async fn run() {
    let clinic = Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await;
    measure("In one process", &clinic).await;
    drop(clinic);
    let fleet = Box::pin(Fleet::open(env!("CARGO_BIN_EXE_lasegue"), 1)).await;
    measure("With a process for each role", &fleet).await;
}

async fn measure(shape: &str, place: &impl Installation) {
    pages(place, "warm", 20, || false).await;
    let quiet = times(&pages(place, "quiet", QUIET, || false).await);
    let over = Arc::<AtomicBool>::default();
    let flooding = tokio::spawn(flood(place.caller(), over.clone()));
    let beside = times(&pages(place, "beside", MOST, || over.load(Ordering::SeqCst)).await);
    let sent = flooding.await.expect("the floods end");
    println!("{shape}, {FLOODS} floods of {VISITS} visits to one episode in 5 s ({sent} were taken):");
    report("request to page, alone", &quiet, &quiet);
    report("request to page, beside the floods", &beside, &quiet);
}

/// Floods one episode after the other; says how many visits were taken.
async fn flood(caller: Caller, over: Arc<AtomicBool>) -> usize {
    let mut taken = 0;
    for flood in 0..FLOODS {
        let episode = caller.register().await.expect("it answers");
        let mut sending = JoinSet::new();
        for number in 0..VISITS {
            let (caller, episode) = (caller.clone(), episode.clone());
            sending.spawn(async move {
                let visit = calm_visit(&format!("calm-{number}"));
                let answer = caller.submit(&episode, &format!("flood-{flood}-{number}"), &visit).await;
                answer.is_ok_and(|answer| answer.status().is_success())
            });
            pause(BETWEEN).await;
        }
        taken += sending.join_all().await.into_iter().filter(|taken| *taken).count();
    }
    over.store(true, Ordering::SeqCst);
    taken
}
