//! Adjudications: signed by name, about something that exists.

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use lasegue_contracts::NOTE_STAYS;
use lasegue_contracts::intake::{AdjudicationRecorded, RecordImported, Void, adjudication_recorded::Decision};
use lasegue_platform::auth::Role;
use lasegue_platform::wire::timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, House, NOW, calm, record};

async fn sign(house: &House, role: Role, episode: Uuid, key: &str, body: &Value) -> Answer {
    let path = format!("/episodes/{episode}/adjudications");
    house.send(role, Method::POST, &path, &[("idempotency-key", key)], body.to_string()).await
}

fn disposition() -> Value {
    json!({ "kind": "disposition", "code": "cauda-equina-emergency", "side": null, "at": "2026-01-21T08:00:00Z",
            "note": "Examined, sensation intact." })
}

#[tokio::test]
async fn a_clinician_signs_with_the_name_of_the_token() {
    let house = House::open().await;
    let episode = house.episode().await;
    let answer = sign(&house, Role::Clinician, episode, "k", &disposition()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let event = house.events::<AdjudicationRecorded>().await.remove(0);
    assert_eq!((event.by.as_str(), event.adjudication_id), ("dr-a", answer.id().to_string()));
    assert_eq!(event.note, NOTE_STAYS, "what somebody wrote stays here");
    let mut other = disposition();
    other["by"] = json!("dr-b");
    other["note"] = json!("");
    insta::assert_json_snapshot!("another_s_name", sign(&house, Role::Clinician, episode, "k-2", &other).await.shown());
    let read = house.get(&format!("/episodes/{episode}")).await.json();
    assert_eq!(
        (read["adjudications"].as_array().map(Vec::len), &read["adjudications"][0]["by"]),
        (Some(1), &json!("dr-a"))
    );
}

#[tokio::test]
async fn a_system_says_who_signed() {
    let house = House::open().await;
    let episode = house.episode().await;
    assert_eq!(sign(&house, Role::System, episode, "k", &disposition()).await.pointers(), ["/by"]);
    let mut signed = disposition();
    signed["by"] = json!("dr-b");
    assert_eq!(sign(&house, Role::System, episode, "k", &signed).await.status, StatusCode::ACCEPTED);
    assert_eq!(house.events::<AdjudicationRecorded>().await[0].by, "dr-b");
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_voided_or_disposed_of() {
    let house = House::open().await;
    let episode = house.episode().await;
    let mut unknown = disposition();
    unknown["code"] = json!("Cauda equina");
    unknown["at"] = json!("2026-01-22T09:00:00Z");
    insta::assert_json_snapshot!(
        "unknown_finding",
        sign(&house, Role::Clinician, episode, "a", &unknown).await.shown()
    );
    let void = json!({ "kind": "void", "submission": "v1", "at": "2026-01-21T08:00:00Z", "note": "wrong patient" });
    assert_eq!(sign(&house, Role::Clinician, episode, "b", &void).await.pointers(), ["/submission"]);
    let nowhere = sign(&house, Role::Clinician, Uuid::nil(), "c", &void).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    let submission = house.submit(episode, "d", &calm("v1")).await.id();
    assert_eq!(sign(&house, Role::Clinician, episode, "b", &void).await.status, StatusCode::ACCEPTED);
    let decision = house.events::<AdjudicationRecorded>().await.remove(0).decision;
    assert_eq!(decision, Some(Decision::Void(Void { submission_id: submission.to_string() })));
}

#[tokio::test]
async fn a_retry_is_answered_alike_and_a_key_stands_for_one_body() {
    let house = House::open().await;
    let episode = house.episode().await;
    let first = sign(&house, Role::Clinician, episode, "k", &disposition()).await.id();
    assert_eq!(sign(&house, Role::Clinician, episode, "k", &disposition()).await.id(), first);
    assert_eq!(sign(&house, Role::Clinician, episode, "k-2", &disposition()).await.id(), first, "signed once");
    let longstanding =
        json!({ "kind": "longstanding", "item": "bowel_control", "at": "2026-01-21T08:00:00Z", "note": "since birth" });
    let reused = sign(&house, Role::Clinician, episode, "k", &longstanding).await;
    assert_eq!(
        (reused.status, &reused.json()["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency-key-reused"))
    );
    assert_eq!(house.events::<AdjudicationRecorded>().await.len(), 1);
    let path = format!("/episodes/{episode}/adjudications");
    let unkeyed = house.send(Role::Clinician, Method::POST, &path, &[], longstanding.to_string()).await;
    assert_eq!(unkeyed.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_signature_carries_when_it_came_in_whatever_it_says_itself() {
    let house = House::open().await;
    let episode = house.episode().await;
    let mut ahead = disposition();
    ahead["at"] = json!("2026-01-21T09:04:40Z");
    assert_eq!(sign(&house, Role::Clinician, episode, "k", &ahead).await.status, StatusCode::ACCEPTED);
    let event = house.events::<AdjudicationRecorded>().await.remove(0);
    assert_eq!(event.received_at, Some(timestamp(NOW.parse().expect("an instant"))));
    assert!(event.at.expect("it has one").seconds > event.received_at.expect("it has one").seconds);
    ahead["received_at"] = json!("2026-01-21T09:04:40Z");
    assert_eq!(sign(&house, Role::Clinician, episode, "k-2", &ahead).await.pointers(), ["/received_at"]);
}

#[tokio::test]
async fn whoever_signs_here_has_seen_what_was_assessed_before_and_who_signed_elsewhere_is_not_asked() {
    let house = House::open().await;
    let episode = house.episode().await;
    let before = u64::try_from(NOW.parse::<DateTime<Utc>>().expect("an instant").timestamp_millis() - 1).ok();
    assert_eq!(sign(&house, Role::Clinician, episode, "k", &disposition()).await.status, StatusCode::ACCEPTED);
    let mut forwarded = disposition();
    forwarded["by"] = json!("dr-b");
    assert_eq!(sign(&house, Role::System, episode, "k-2", &forwarded).await.status, StatusCode::ACCEPTED);
    forwarded["received_at"] = json!("2026-01-21T08:30:00Z");
    forwarded["by"] = json!("dr-c");
    assert_eq!(sign(&house, Role::System, episode, "k-3", &forwarded).await.status, StatusCode::ACCEPTED);
    let mut seen: Vec<_> = house.events::<AdjudicationRecorded>().await.iter().map(|told| told.seen_revision).collect();
    seen.sort_unstable();
    assert_eq!(seen, [None, before, before]);
}

#[tokio::test]
async fn no_signature_was_received_later_than_now_whoever_says_so() {
    let house = House::open().await;
    let now = Some(timestamp(NOW.parse().expect("an instant")));
    let mut ahead = disposition();
    ahead["by"] = json!("dr-b");
    ahead["at"] = json!("2026-01-21T09:04:40Z");
    ahead["received_at"] = json!("2026-01-21T09:04:50Z");
    let episode = house.episode().await;
    assert_eq!(sign(&house, Role::System, episode, "k", &ahead).await.status, StatusCode::ACCEPTED);
    assert_eq!(house.events::<AdjudicationRecorded>().await[0].received_at, now);
    ahead["by"] = json!("dr-c");
    let mut whole = record(&[calm("v1")]);
    whole["adjudications"] = json!([ahead]);
    assert_eq!(house.import(&[whole]).await[0]["outcome"], "accepted");
    let told = house.events::<RecordImported>().await.remove(0).adjudications.remove(0);
    assert_eq!((told.received_at, told.seen_revision), (now, None));
}
