//! Adjudications: signed by name, about something that exists.

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{AdjudicationRecorded, Void, adjudication_recorded::Decision};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, House, calm};

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
