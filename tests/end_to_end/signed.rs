//! Whoever signs while something worse is on its way has signed for what was seen, and hears of the rest.

use std::time::Duration;

use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_testkit::caller::{Caller, saddle_visit};
use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::pager::Page;
use lasegue_testkit::wait::{eventually, pause};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clinic;

/// Episodes of one test.
const RACES: u64 = 24;
/// How much later each signature is than the one of the race before.
const LATER: Duration = Duration::from_millis(2);
/// How long a page may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to let something happen that must not: that a signature closes what it did not see.
const QUIET: Duration = Duration::from_millis(300);

fn worse_visit(id: &str) -> Value {
    let mut visit = saddle_visit(id);
    visit["assessed_at"] = json!("2026-01-01T09:30:00Z");
    visit["cauda_equina"]["urinary_retention"] = json!("yes");
    visit
}

/// The episode's open alert, once it is there.
async fn open_alert(caller: &Caller, episode: &str) -> Value {
    let found = async || {
        let mut alerts = caller.json("/alerts?state=open&limit=500").await["alerts"].take();
        let alerts = std::mem::take(alerts.as_array_mut().expect("a list"));
        alerts.into_iter().find(|alert| alert["episode_id"] == episode)
    };
    eventually("the emergency is open", async || found().await.is_some()).await;
    found().await.expect("nobody has signed it since")
}

/// An episode with an open emergency, and its alert.
async fn emergency(caller: &Caller) -> (String, Value) {
    let episode = caller.register().await.expect("it answers");
    let first = caller.submit(&episode, "key-1", &saddle_visit("v1")).await.expect("it answers");
    assert_eq!(first.status(), StatusCode::ACCEPTED);
    let alert = open_alert(caller, &episode).await;
    (episode, alert)
}

/// The report pages: under an alert of its own, or as news of the one that nobody could sign any more.
async fn pages(clinic: &Clinic, episode: &str, before: &Value) {
    let alert = open_alert(&clinic.caller(), episode).await;
    let is_it = |line: &Value| line["id"] == alert["id"] && (alert["id"] != before["id"] || line["reason"] == "worse");
    let paged = |pages: &[Page]| {
        let lines = pages.iter().filter_map(|page| page.body["alerts"].as_array());
        lines.flatten().any(is_it)
    };
    assert!(clinic.pager().wait_for(PATIENCE, paged).await.is_ok(), "nobody was paged about {alert}");
}

async fn dispose(caller: &Caller, alert: &Value) -> StatusCode {
    let path = format!("/alerts/{}/dispose", alert["id"].as_str().expect("an id"));
    let body = json!({ "revision": alert["revision"], "note": "Examined: sensation intact on testing." });
    caller.post(&path, &body).send().await.expect("it answers").status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_that_races_a_worse_report_is_refused_or_the_report_pages() {
    let clinic = clinic().await;
    let caller = clinic.caller();
    let mut signed = 0;
    for race in 0..RACES {
        let (episode, alert) = emergency(&caller).await;
        let report = caller.submit(&episode, "key-2", &worse_visit("v2")).await.expect("it answers");
        assert_eq!(report.status(), StatusCode::ACCEPTED);
        pause(LATER * u32::try_from(race / 2).expect("it is small")).await;
        let answer = dispose(&caller, &alert).await;
        if answer == StatusCode::OK {
            signed += 1;
            pause(QUIET).await;
        } else {
            assert_eq!(answer, StatusCode::CONFLICT);
        }
        pages(&clinic, &episode, &alert).await;
    }
    eprintln!("{signed} of {RACES} signatures came before the report was assessed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_forwarded_late_pages_although_it_was_received_elsewhere_before_the_signature() {
    let clinic = clinic().await;
    let caller = clinic.caller();
    let system = Caller::new(&caller.url, clinic.token_for("system"));
    let (episode, alert) = emergency(&caller).await;
    let elsewhere = SystemClock.now();
    pause(QUIET).await;
    assert_eq!(dispose(&caller, &alert).await, StatusCode::OK);
    let mut late = worse_visit("v2");
    late["received_at"] = json!(elsewhere.to_rfc3339());
    let answer = system.submit(&episode, "key-2", &late).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    pages(&clinic, &episode, &alert).await;
}
