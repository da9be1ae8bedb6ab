//! What people sign.

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::AdjudicationRecorded;
use lasegue_contracts::intake::adjudication_recorded::Decision;
use lasegue_platform::auth::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, House, form, open};

fn disposition() -> Value {
    json!({
        "kind": "disposition", "code": "motor-deficit-severe", "side": "right", "at": "2026-01-21T11:00:00Z",
        "note": "Seen; imaging arranged."
    })
}

async fn sign(house: &House, episode: &str, key: &str, body: &Value) -> Answer {
    house.post(&format!("/episodes/{episode}/adjudications"), key, body).await
}

#[tokio::test]
async fn a_clinician_signs_with_the_name_of_the_token() {
    let house = House::new().await;
    let episode = house.register().await;
    house.live().await;
    for key in ["key-1", "key-1"] {
        assert_eq!(sign(&house, &episode, key, &disposition()).await.status, StatusCode::ACCEPTED);
    }
    let events = house.live().await;
    assert_eq!(events.len(), 1);
    let event: AdjudicationRecorded = open(&events[0]);
    assert_eq!(event.by, "dr-clinician");
    assert!(matches!(event.decision, Some(Decision::Disposition(signed)) if signed.side == "right"));
}

#[tokio::test]
async fn nobody_signs_for_another_but_a_system_says_who_signed() {
    let house = House::new().await;
    let episode = house.register().await;
    let mut body = disposition();
    body["by"] = json!("somebody else");
    assert_eq!(sign(&house, &episode, "key-1", &body).await.pointers(), ["/by"]);
    let path = format!("/episodes/{episode}/adjudications");
    let as_system = |body: Value, key: &'static str| {
        let (house, path) = (&house, path.clone());
        async move { house.call(Role::System, Method::POST, &path, key, body.to_string().as_bytes()).await }
    };
    assert_eq!(as_system(body, "key-2").await.status, StatusCode::ACCEPTED);
    assert_eq!(as_system(disposition(), "key-3").await.pointers(), ["/by"]);
}

#[tokio::test]
async fn a_void_names_a_submission_of_the_episode() {
    let house = House::new().await;
    let episode = house.register().await;
    let mut body =
        json!({ "kind": "void", "submission": "v1", "at": "2026-01-21T11:00:00Z", "note": "Wrong patient." });
    assert_eq!(sign(&house, &episode, "key-1", &body).await.pointers(), ["/submission"]);
    let id = house.submit(&episode, "key-1", &form("v1")).await.json()["id"].clone();
    house.live().await;
    assert_eq!(sign(&house, &episode, "key-1", &body).await.status, StatusCode::ACCEPTED);
    let event: AdjudicationRecorded = open(&house.live().await[0]);
    assert!(matches!(event.decision, Some(Decision::Void(void)) if json!(void.submission_id) == id));
    body["at"] = json!("2026-01-22T11:00:00Z");
    assert_eq!(sign(&house, &episode, "key-2", &body).await.pointers(), ["/at"]);
}
