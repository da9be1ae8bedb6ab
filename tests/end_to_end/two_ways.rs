//! NATS is away, or its disk is full, while reports come in: each red flag is paged all the same, and none twice unless
//! marked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lasegue_testkit::caller::{Caller, saddle_visit};
use lasegue_testkit::installation::{Fleet, Installation};
use lasegue_testkit::pager::Page;
use lasegue_testkit::wait::pause;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::Instant;

use crate::ledger::{no_duplicate_is_unmarked, persist};

/// Between one report and the next.
const PAUSE: Duration = Duration::from_millis(300);
/// How long red flags are reported before the fault, and after it.
const BEFORE: Duration = Duration::from_secs(2);
const AFTER: Duration = Duration::from_secs(20);
/// How long a red flag may take to be paged before it counts as lost: far less than NATS is away.
const PATIENCE: Duration = Duration::from_secs(15);

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// Episodes whose red flag was answered with 202, and when.
pub(crate) type Accepted = BTreeMap<String, Instant>;

#[tokio::test]
async fn while_nats_is_away_every_red_flag_is_paged() {
    away(Duration::from_secs(20)).await;
}

#[tokio::test]
#[ignore = "takes some minutes: run it with `cargo xtask faults`"]
async fn while_nats_is_away_for_two_minutes_every_red_flag_is_paged() {
    let fleet = away(Duration::from_mins(2)).await;
    assert!(told(&fleet), "an operator hears that the bus takes nothing");
}

async fn away(span: Duration) -> Fleet {
    let fleet = Fleet::open(BINARY, 1).await;
    let mut accepted = BTreeMap::new();
    paged("before", &fleet, &mut accepted, BEFORE).await;
    fleet.ground.nats.die().await;
    paged("while NATS is away", &fleet, &mut accepted, span).await;
    let caller = fleet.caller();
    let (back, ()) = tokio::join!(report(&caller, AFTER), fleet.ground.nats.come_back());
    each_is_paged("once NATS is back", &fleet, &mut accepted, back).await;
    fleet
}

#[tokio::test]
async fn while_the_disk_of_nats_is_full_and_afterwards_every_red_flag_is_paged() {
    full(Duration::from_secs(20)).await;
}

#[tokio::test]
#[ignore = "takes some minutes: run it with `cargo xtask faults`"]
async fn while_the_disk_of_nats_is_full_for_two_minutes_and_afterwards_every_red_flag_is_paged() {
    let fleet = full(Duration::from_mins(2)).await;
    assert!(told(&fleet), "an operator hears that the bus takes nothing");
}

/// NATS 2.15 takes nothing after a full disk, also when there is room again, until it is started again.
async fn full(span: Duration) -> Fleet {
    let fleet = Fleet::open_cramped(BINARY).await;
    let mut accepted = BTreeMap::new();
    paged("before", &fleet, &mut accepted, BEFORE).await;
    fleet.ground.nats.fill().await;
    paged("while NATS's disk is full", &fleet, &mut accepted, span).await;
    fleet.ground.nats.make_room().await;
    paged("once there is room again", &fleet, &mut accepted, AFTER).await;
    let caller = fleet.caller();
    let (back, ()) = tokio::join!(report(&caller, AFTER), fleet.ground.nats.restart());
    each_is_paged("once NATS was started again", &fleet, &mut accepted, back).await;
    fleet
}

/// Whether an operator was paged.
fn told(fleet: &Fleet) -> bool {
    fleet.pager().pages().iter().any(|page| page.text("severity") == "operator")
}

#[tokio::test]
async fn a_role_that_starts_while_nats_is_away_does_its_work() {
    let mut fleet = Fleet::open(BINARY, 1).await;
    fleet.ground.nats.die().await;
    for index in 0..fleet.size() {
        fleet.kill(index);
        fleet.start_again(index).await;
    }
    paged("while NATS is away", &fleet, &mut BTreeMap::new(), BEFORE).await;
}

/// Reports red flags for a while; each is paged.
async fn paged(when: &str, fleet: &Fleet, accepted: &mut Accepted, span: Duration) {
    let new = report(&fleet.caller(), span).await;
    each_is_paged(when, fleet, accepted, new).await;
}

/// Reports a red flag of another patient again and again.
async fn report(caller: &Caller, span: Duration) -> Accepted {
    let (begun, mut accepted) = (now(), Accepted::new());
    while begun.elapsed() < span {
        let episode = persist(|| caller.register()).await;
        let submit = || async { caller.submit(&episode, "first", &saddle_visit("v1")).await?.error_for_status() };
        assert_eq!(persist(submit).await.status(), StatusCode::ACCEPTED);
        accepted.insert(episode, now());
        pause(PAUSE).await;
    }
    accepted
}

/// Each of `new` is paged, and none of `accepted` so far twice unless marked.
pub(crate) async fn each_is_paged(when: &str, fleet: &Fleet, accepted: &mut Accepted, new: Accepted) {
    accepted.extend(new.clone());
    let waited = fleet.pager().wait_for(PATIENCE, |pages| alerts(pages).len() >= accepted.len()).await;
    let pages = waited.unwrap_or_else(|pages| panic!("{} red flags, {} paged", accepted.len(), alerts(&pages).len()));
    // An operator may hear of several services under one page's id: those are no duplicates.
    let about_patients: Vec<_> = pages.iter().filter(|page| page.text("severity") == "emergency").cloned().collect();
    no_duplicate_is_unmarked(&about_patients);
    let first = first_pages(&pages);
    let waits = episodes(fleet).await.into_iter().filter_map(|(alert, episode)| {
        let at = first.get(&alert)?;
        Some(at.saturating_duration_since(*new.get(&episode)?))
    });
    let mut waits: Vec<_> = waits.collect();
    assert_eq!(waits.len(), new.len(), "each red flag has its page");
    waits.sort_unstable();
    let [half, longest] = [waits.len() / 2, waits.len() - 1].map(|index| waits[index]);
    println!("{when}: {} red flags, all paged after {half:.1?} (p50), {longest:.1?} at most", waits.len());
}

/// The alerts about patients that were paged.
fn alerts(pages: &[Page]) -> BTreeSet<String> {
    first_pages(pages).into_keys().collect()
}

/// When each alert about a patient was paged first.
fn first_pages(pages: &[Page]) -> BTreeMap<String, Instant> {
    let emergencies = pages.iter().rev().filter(|page| page.text("severity") == "emergency");
    emergencies
        .filter_map(|page| Some((page.body["alerts"][0]["id"].as_str()?.to_owned(), Instant::from_std(page.at))))
        .collect()
}

/// Which episode each alert is about.
async fn episodes(fleet: &Fleet) -> Vec<(String, String)> {
    let (caller, mut found, mut after) = (fleet.caller(), Vec::new(), String::new());
    loop {
        let list = caller.json(&format!("/alerts?limit=500{after}")).await;
        let alerts = list["alerts"].as_array().cloned().unwrap_or_default();
        let pair = |alert: &Value| Some((alert["id"].as_str()?.to_owned(), alert["episode_id"].as_str()?.to_owned()));
        found.extend(alerts.iter().filter_map(pair));
        let Some(next) = list["next"].as_str() else { return found };
        after = format!("&after={next}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is outside of the system and has a clock of its own")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
