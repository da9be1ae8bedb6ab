//! In one process: an import of 20,000 records, how long until it is taken and until all of it is assessed, and what a page
//! takes meanwhile beside idle.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lasegue_testkit::caller::Caller;
use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::wait::pause;
use serde_json::Value;

use crate::measure::{now, pages, report, times};

/// Records imported.
const RECORDS: usize = 20_000;
/// Records of one request, as `lasegue import` sends them at most.
const CHUNK: usize = 200;
/// One record of so many is looked at for whether it is assessed, and all of the last ones.
const LOOKED_AT: usize = 50;
const LAST: usize = 400;
/// Pages measured while nothing else happens.
const IDLE: usize = 300;
/// Pages measured at most during the import.
const MOST: usize = 20_000;

/// How long an import took.
struct Imported {
    taken: Duration,
    assessed: Duration,
    visits: usize,
}

pub(crate) async fn run() {
    let clinic = Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await;
    pages(&clinic, "warm", 20, || false).await;
    let idle = times(&pages(&clinic, "idle", IDLE, || false).await);
    let over = Arc::<AtomicBool>::default();
    let system = Caller::new(clinic.caller().url, clinic.token_for("system"));
    let importing = tokio::spawn(import(system, sample(), over.clone()));
    let loaded = times(&pages(&clinic, "load", MOST, || over.load(Ordering::SeqCst)).await);
    let Imported { taken, assessed, visits } = importing.await.expect("the import ends");
    let (taken, assessed) = (taken.as_secs_f64(), assessed.as_secs_f64());
    println!(
        "In one process, {RECORDS} records with {visits} visits: taken in {taken:.1} s, assessed {assessed:.1} s after the first was sent ({:.2} x)",
        assessed / taken
    );
    report("request to page, idle", &idle, &idle);
    report("request to page, during the import", &loaded, &idle);
}

/// Sends all records and waits until they are assessed.
async fn import(system: Caller, records: Vec<String>, over: Arc<AtomicBool>) -> Imported {
    let visits = records.iter().map(|record| record.matches("\"assessed_at\"").count()).sum();
    let (begun, mut episodes) = (now(), Vec::new());
    for chunk in records.chunks(CHUNK) {
        episodes.extend(send(&system, chunk).await);
    }
    let taken = begun.elapsed();
    let (early, last) = episodes.split_at(episodes.len() - LAST);
    for episode in early.iter().step_by(LOOKED_AT).chain(last) {
        until_assessed(&system, episode, begun).await;
    }
    let assessed = begun.elapsed();
    over.store(true, Ordering::SeqCst);
    Imported { taken, assessed, visits }
}

async fn send(system: &Caller, chunk: &[String]) -> Vec<String> {
    let answer = system.post("/imports", &Value::Null).body(chunk.join("\n")).send().await.expect("it answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    let outcomes = answer.text().await.expect("lines");
    let episode = |line: &str| {
        let outcome: Value = serde_json::from_str(line).expect("a line of JSON");
        outcome["episode"].as_str().expect("it was taken").to_owned()
    };
    outcomes.lines().map(episode).collect()
}

async fn until_assessed(system: &Caller, episode: &str, begun: Instant) {
    let path = format!("/episodes/{episode}/assessment");
    while !system.get(&path).send().await.expect("it answers").status().is_success() {
        assert!(begun.elapsed() < Duration::from_mins(30), "{episode} is not assessed");
        pause(Duration::from_millis(20)).await;
    }
}

fn sample() -> Vec<String> {
    let sample = Command::new(env!("CARGO_BIN_EXE_lasegue"))
        .args(["sample", "--patients", &RECORDS.to_string()])
        .output()
        .expect("the binary was built");
    String::from_utf8(sample.stdout).expect("text").lines().map(str::to_owned).collect()
}
