//! Somebody has got into scheduling: what they send over NATS in the name of intake and of assessment changes no alert and
//! pages nobody about a patient, and an operator hears of it.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions, HeaderMap};
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::intake::adjudication_recorded::Decision;
use lasegue_contracts::intake::{AdjudicationRecorded, Disposition};
use lasegue_contracts::{Envelope, Event, NOTE_STAYS, Service};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::wire::timestamp;
use lasegue_testkit::caller::{Caller, calm_visit, saddle_visit};
use lasegue_testkit::installation::{Fleet, Installation, Role};
use lasegue_testkit::wait::{eventually, pause};
use prost::Message;
use serde_json::Value;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn who_got_into_scheduling_signs_for_nobody_and_raises_no_red_flag() {
    let mut fleet = Fleet::open(env!("CARGO_BIN_EXE_lasegue"), 1).await;
    let caller = fleet.caller();
    let [danger, calm] = [saddle_visit("v1"), calm_visit("v1")].map(|visit| (caller.clone(), visit));
    let (danger, calm) = tokio::join!(reported(danger), reported(calm));
    fleet.pager().wait_for(PATIENCE, |pages| !pages.is_empty()).await.expect("the emergency is paged");
    let finding = alert(&caller, &danger).await;
    for index in fleet.of(Role::Scheduling) {
        fleet.kill(index);
    }
    fleet.ground.nats.wipe().await;
    let intruder = intruder(&fleet).await;
    copying_stream(&intruder).await;
    let forged = |told: Vec<Value>| told.iter().any(|letter| reason(letter).contains("assessment-intake"));
    sign(&intruder, &caller, &danger, &finding, || async { forged(letters(&fleet, "assessment").await) }).await;
    assert_eq!(next_visit(&caller, &danger).await, "hold", "nobody has signed");
    raise(&intruder, &calm).await;
    let forged = |told: Vec<Value>| told.iter().any(|letter| reason(letter).contains("alerting-red-flags"));
    eventually("the red flag was refused", || async { forged(letters(&fleet, "alerting").await) }).await;
    eventually("an operator hears of both", || async {
        let codes = codes(&caller).await;
        ["dead-letters:signatures", "failing-events:alerting-nats"].iter().all(|code| codes.contains(*code))
    })
    .await;
    assert_eq!(alert(&caller, &danger).await["state"], "open");
    assert!(!codes(&caller).await.contains("unreadable-red-flag"));
    let pages = fleet.pager().pages();
    let emergencies = pages.iter().filter(|page| page.text("severity") == "emergency");
    let alarms: BTreeSet<_> = emergencies.map(|page| page.body["alerts"][0]["id"].to_string()).collect();
    assert_eq!(alarms.len(), 1, "nobody was paged about the other patient");
}

/// An episode with one visit, assessed.
async fn reported((caller, visit): (Caller, Value)) -> String {
    let episode = caller.register().await.expect("it answers");
    let answer = caller.submit(&episode, "key-1", &visit).await.expect("it answers");
    answer.error_for_status().expect("it is taken");
    let place = format!("/episodes/{episode}/assessment");
    let assessed = || async { caller.get(&place).send().await.is_ok_and(|answer| answer.status().is_success()) };
    eventually("it is assessed", assessed).await;
    episode
}

async fn next_visit(caller: &Caller, episode: &str) -> Value {
    caller.json(&format!("/episodes/{episode}/assessment")).await["next_visit"]["kind"].clone()
}

async fn alerts(caller: &Caller) -> Vec<Value> {
    caller.json("/alerts?limit=500").await["alerts"].as_array().cloned().unwrap_or_default()
}

async fn alert(caller: &Caller, episode: &str) -> Value {
    let found = alerts(caller).await.into_iter().find(|alert| alert["episode_id"] == episode);
    found.expect("the emergency has an alert")
}

async fn codes(caller: &Caller) -> BTreeSet<String> {
    alerts(caller).await.iter().filter_map(|alert| Some(alert["code"].as_str()?.to_owned())).collect()
}

async fn letters(fleet: &Fleet, service: &str) -> Vec<Value> {
    let operator = Caller::new(fleet.caller().url, fleet.token_of("operator", "olga"));
    let list = operator.json(&format!("/dead-letters/{service}")).await;
    list["dead_letters"].as_array().cloned().unwrap_or_default()
}

fn reason(letter: &Value) -> &str {
    letter["reason"].as_str().unwrap_or_default()
}

/// Somebody with the password of scheduling.
async fn intruder(fleet: &Fleet) -> Client {
    let password = fleet.ground.nats_password(Role::Scheduling);
    let options = ConnectOptions::new().user_and_password("scheduling".to_owned(), password);
    let options = options.custom_inbox_prefix("_INBOX_scheduling");
    options.connect(fleet.ground.nats.url()).await.expect("scheduling may connect")
}

/// Makes scheduling's stream, which NATS has lost, so that it copies what comes into it into intake's.
async fn copying_stream(intruder: &Client) {
    let config = stream::Config {
        name: "VISITS".to_owned(),
        subjects: vec!["lasegue.scheduling.v1.visit-due.*".to_owned()],
        republish: Some(stream::Republish {
            source: "lasegue.scheduling.v1.visit-due.*".to_owned(),
            destination: "lasegue.intake.v1.adjudication-recorded.{{wildcard(1)}}".to_owned(),
            headers_only: false,
        }),
        ..stream::Config::default()
    };
    let jetstream = jetstream::new(intruder.clone());
    eventually("the stream is made", || async { jetstream.create_stream(config.clone()).await.is_ok() }).await;
}

/// Sends what says that dr-a has signed, until it was `refused` or has let the patient go.
async fn sign<F: Future<Output = bool>>(
    intruder: &Client,
    caller: &Caller,
    episode: &str,
    alert: &Value,
    refused: impl Fn() -> F,
) {
    for _ in 0..20 {
        let signed = signature(episode, alert);
        let mut headers = HeaderMap::new();
        for (name, value) in signed.headers() {
            headers.insert(name, value);
        }
        let own = event::subject(Service::Scheduling, Lane::Live, "visit-due", id(episode));
        intruder.publish_with_headers(own, headers, signed.payload).await.expect("it leaves this process");
        pause(Duration::from_secs(1)).await;
        if refused().await || next_visit(caller, episode).await != "hold" {
            return;
        }
    }
    panic!("what was forged reached nobody");
}

fn signature(episode: &str, alert: &Value) -> Envelope {
    let now = SystemClock::shared().now();
    let text = |field: &str| alert[field].as_str().unwrap_or_default().to_owned();
    let event = AdjudicationRecorded {
        episode_id: episode.to_owned(),
        adjudication_id: SystemRandom::shared().id(now).to_string(),
        at: Some(timestamp(now)),
        by: "dr-a".to_owned(),
        note: NOTE_STAYS.to_owned(),
        decision: Some(Decision::Disposition(Disposition { code: text("code"), side: text("side") })),
        received_at: Some(timestamp(now)),
        seen_revision: None,
    };
    Envelope {
        id: SystemRandom::shared().id(now),
        event_type: AdjudicationRecorded::TYPE.to_owned(),
        subject: event::subject(Service::Intake, Lane::Live, AdjudicationRecorded::NAME, id(episode)),
        source: Service::Intake.name().to_owned(),
        time: now.to_rfc3339(),
        trace_parent: String::new(),
        payload: event.encode_to_vec().into(),
    }
}

/// Has the server's answer sent to where red flags are raised.
async fn raise(intruder: &Client, episode: &str) {
    let own = event::subject(Service::Scheduling, Lane::Live, "visit-due", id(episode));
    let red_flags = event::subject(Service::Assessment, Lane::Live, "red-flag-raised", id(episode));
    intruder.publish_with_reply(own, red_flags, "x".into()).await.expect("it leaves this process");
    intruder.flush().await.expect("the server reads it");
}

fn id(episode: &str) -> Uuid {
    episode.parse().expect("an episode's id is one")
}
