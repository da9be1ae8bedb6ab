//! The backup drill: a dump is taken with work under way, work goes on, and one service goes back to the dump. Nothing is
//! lost, and nothing is done twice.

use lasegue_contracts::Service;
use lasegue_testkit::installation::{Fleet, Installation, Role};

use crate::ledger::{Burst, Ledger, every_promise_is_kept, every_red_flag_is_paged, worsen};

#[tokio::test]
async fn assessment_goes_back_to_a_dump() {
    drill(Role::Assessment, Service::Assessment).await;
}

#[tokio::test]
async fn scheduling_goes_back_to_a_dump() {
    drill(Role::Scheduling, Service::Scheduling).await;
}

async fn drill(role: Role, service: Service) {
    let mut fleet = Fleet::open(env!("CARGO_BIN_EXE_lasegue"), 1).await;
    let mut ledger = Ledger::new();
    let burst = Burst::begin(&fleet.caller()).await;
    burst.middle().await;
    fleet.ground.postgres.dump(service).await;
    ledger.extend(burst.end().await);
    ledger.extend(Burst::begin(&fleet.caller()).await.end().await);
    every_promise_is_kept(&fleet, &ledger).await;
    let [victim] = fleet.of(role)[..] else { panic!("one process of each role") };
    fleet.kill(victim);
    fleet.ground.postgres.restore(service).await;
    let burst = Burst::begin(&fleet.caller()).await;
    ledger.extend(burst.end().await);
    fleet.start_again(victim).await;
    every_promise_is_kept(&fleet, &ledger).await;
    worsen(&fleet.caller(), &mut ledger).await;
    every_red_flag_is_paged(&fleet, &ledger).await;
}
