//! A refused submission cannot hide a red flag.

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{RefusalCorrected, RefusalReason, SubmissionRefused};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, House, form, open, saddle_form, types};

/// Saddle numbness in a form that has a fault elsewhere.
fn faulty_saddle_form(id: &str) -> Value {
    let mut body = saddle_form(id);
    body["pain"]["leg"]["value"] = json!(400);
    body
}

async fn send_bytes(house: &House, episode: &str, key: &str, body: &[u8]) -> Answer {
    house.call(Role::Clinician, Method::POST, &format!("/episodes/{episode}/submissions"), key, body).await
}

#[tokio::test]
async fn a_danger_sign_in_a_refused_submission_is_told_once() {
    let house = House::new().await;
    let episode = house.register().await;
    for key in ["key-1", "key-1", "key-2"] {
        let answer = house.submit(&episode, key, &faulty_saddle_form("v1")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let events = house.refusals().await;
    assert_eq!(types(&events), ["SubmissionRefused"]);
    let event: SubmissionRefused = open(&events[0]);
    assert_eq!((event.episode_id, event.reason), (episode, RefusalReason::DangerSign.into()));
}

#[tokio::test]
async fn a_merely_faulty_submission_alarms_nobody() {
    let house = House::new().await;
    let episode = house.register().await;
    let mut body = form("v1");
    body["pain"]["leg"]["value"] = json!(400);
    house.submit(&episode, "key-1", &body).await;
    assert!(house.refusals().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_at_all_alarms() {
    let house = House::new().await;
    let episode = house.register().await;
    let large = vec![b'x'; 2 << 20];
    for (body, status) in [
        (&b"{ \"saddle"[..], StatusCode::UNPROCESSABLE_ENTITY),
        (&b"[]"[..], StatusCode::UNPROCESSABLE_ENTITY),
        (&[0xff, 0xfe][..], StatusCode::UNPROCESSABLE_ENTITY),
        (&large[..], StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(send_bytes(&house, &episode, "key-1", body).await.status, status);
    }
    let events = house.refusals().await;
    assert_eq!(events.len(), 4);
    let event: SubmissionRefused = open(&events[0]);
    assert_eq!(event.reason(), RefusalReason::Unreadable);
}

#[tokio::test]
async fn a_danger_sign_alarms_even_where_only_the_request_is_at_fault() {
    let house = House::new().await;
    let episode = house.register().await;
    assert_eq!(house.submit(&episode, "", &saddle_form("v1")).await.status, StatusCode::BAD_REQUEST);
    house.submit(&episode, "key-1", &form("v2")).await;
    let reused = house.submit(&episode, "key-1", &saddle_form("v3")).await;
    assert_eq!(reused.json()["code"], "idempotency-key-reused");
    let same_id = house.submit(&episode, "key-2", &saddle_form("v2")).await;
    assert_eq!(same_id.json()["code"], "id-reused");
    assert_eq!(house.refusals().await.len(), 3);
}

#[tokio::test]
async fn a_corrected_submission_takes_the_alarm_back() {
    let house = House::new().await;
    let episode = house.register().await;
    house.submit(&episode, "key-1", &faulty_saddle_form("v1")).await;
    let refused: SubmissionRefused = open(&house.refusals().await[0]);
    let corrected = house.submit(&episode, "key-1", &saddle_form("v1")).await;
    assert_eq!(corrected.status, StatusCode::ACCEPTED, "a key whose body was refused may be used again");
    let events = house.refusals().await;
    assert_eq!(types(&events), ["RefusalCorrected"]);
    let event: RefusalCorrected = open(&events[0]);
    assert_eq!(event.refusal_id, refused.refusal_id);
}

#[tokio::test]
async fn another_submission_takes_no_alarm_back() {
    let house = House::new().await;
    let episode = house.register().await;
    house.submit(&episode, "key-1", &faulty_saddle_form("v1")).await;
    house.refusals().await;
    house.submit(&episode, "key-2", &form("v2")).await;
    assert!(house.refusals().await.is_empty());
}
