//! A refused submission cannot hide a red flag.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{RefusalCorrected, RefusalReason, SubmissionRefused};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, House, calm, saddle, with};

/// A visit with a danger sign that must be refused.
fn faulty(id: &str) -> Value {
    with(saddle(id), "/pain/leg/value", json!(101))
}

async fn reasons(house: &House) -> Vec<RefusalReason> {
    house.events::<SubmissionRefused>().await.iter().map(SubmissionRefused::reason).collect()
}

async fn corrected(house: &House) -> Vec<String> {
    house.events::<RefusalCorrected>().await.into_iter().map(|event| event.refusal_id).collect()
}

async fn send_without_key(house: &House, episode: Uuid, body: &Value) -> Answer {
    let path = format!("/episodes/{episode}/submissions");
    house.send(Role::Clinician, Method::POST, &path, &[], body.to_string()).await
}

#[tokio::test]
async fn a_danger_sign_in_a_refused_submission_is_told_once_at_once_and_can_be_read() {
    let house = House::open().await;
    let episode = house.episode().await;
    for key in ["k", "k", "k-2"] {
        let answer = house.submit(episode, key, &faulty("v1")).await;
        assert_eq!(answer.pointers(), ["/pain/leg/value"]);
    }
    assert_eq!(reasons(&house).await, [RefusalReason::DangerSign]);
    assert_eq!(house.subjects().await, ["episode-registered", "submission-refused"], "on the live lane");
    insta::assert_json_snapshot!("refusals", house.get(&format!("/episodes/{episode}/refusals")).await.shown());
    house.submit(episode, "k", &with(faulty("v1"), "/colour", json!("blue"))).await;
    assert_eq!(reasons(&house).await.len(), 2, "another content is told again");
}

#[tokio::test]
async fn a_calm_refused_submission_is_kept_and_told_to_nobody() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "k", &with(calm("v1"), "/colour", json!("blue"))).await;
    assert_eq!(house.subjects().await, ["episode-registered"]);
    let kept = house.get(&format!("/episodes/{episode}/refusals")).await.json();
    assert_eq!(kept["refusals"].as_array().map(Vec::len), Some(1));
    assert_eq!(kept["refusals"][0]["reason"], Value::Null);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_whatever_is_wrong_with_it() {
    let house = House::open().await;
    let episode = house.episode().await;
    let twice = r#"{ "id": "v1", "cauda_equina": { "saddle_sensation": "yes" }, "cauda_equina": {} }"#;
    let large = format!("{{ \"id\": \"{}\" }}", "x".repeat(1 << 20));
    let deep = "[".repeat(1_000);
    let unreadable: [(&[u8], StatusCode); 8] = [
        (b"", StatusCode::UNPROCESSABLE_ENTITY),
        (b"{ \"cauda_equina\": { \"saddle", StatusCode::UNPROCESSABLE_ENTITY),
        (b"[{}]", StatusCode::UNPROCESSABLE_ENTITY),
        (b"{ \"id\": \"\xff\" }", StatusCode::UNPROCESSABLE_ENTITY),
        (b"{ \"visit\": {} }", StatusCode::UNPROCESSABLE_ENTITY),
        (twice.as_bytes(), StatusCode::UNPROCESSABLE_ENTITY),
        (deep.as_bytes(), StatusCode::UNPROCESSABLE_ENTITY),
        (large.as_bytes(), StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (count, (body, status)) in unreadable.into_iter().enumerate() {
        let answer = house.submit_raw(episode, "k", body.to_vec()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(reasons(&house).await, vec![RefusalReason::Unreadable; count + 1], "{}", answer.text);
    }
    insta::assert_json_snapshot!("too_large", house.submit_raw(episode, "k", large.clone()).await.shown());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_as_far_as_it_came() {
    let house = House::open().await;
    let episode = house.episode().await;
    let pieces = [Ok("{ \"cauda"), Err(std::io::Error::other("gone"))];
    let answer = house.submit_raw(episode, "k", Body::from_stream(futures_util::stream::iter(pieces))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(reasons(&house).await, [RefusalReason::Unreadable]);
}

#[tokio::test]
async fn no_other_reason_to_refuse_hides_a_danger_sign() {
    let house = House::open().await;
    let episode = house.episode().await;
    assert_eq!(send_without_key(&house, episode, &saddle("v0")).await.status, StatusCode::BAD_REQUEST);
    house.submit(episode, "k", &calm("v1")).await;
    let key_reused = house.submit(episode, "k", &saddle("v2")).await;
    assert_eq!(key_reused.json()["code"], "idempotency-key-reused");
    let id_reused = house.submit(episode, "k-2", &saddle("v1")).await;
    assert_eq!(id_reused.json()["code"], "id-reused");
    let nowhere = house.submit(Uuid::nil(), "k", &saddle("v1")).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert_eq!(reasons(&house).await, [RefusalReason::DangerSign; 4]);
}

#[tokio::test]
async fn a_later_accepted_submission_corrects_by_id_by_key_or_by_replacing() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "a", &calm("v0")).await;
    house.submit(episode, "b", &faulty("by-id")).await;
    house.submit(episode, "by-key", &with(faulty("v2"), "/id", Value::Null)).await;
    house.submit(episode, "c", &saddle("v0")).await;
    house.submit(episode, "d", &faulty("left-open")).await;
    let refused: Vec<_> = house.events::<SubmissionRefused>().await.into_iter().map(|event| event.refusal_id).collect();
    assert_eq!(refused.len(), 4);
    house.submit(episode, "e", &saddle("by-id")).await;
    assert_eq!(corrected(&house).await, refused[..1]);
    house.submit(episode, "by-key", &saddle("v2")).await;
    assert_eq!(corrected(&house).await, refused[..2]);
    house.submit(episode, "f", &with(saddle("v3"), "/supersedes", json!("v0"))).await;
    assert_eq!(corrected(&house).await, refused[..3]);
    house.submit(episode, "f", &with(saddle("v3"), "/supersedes", json!("v0"))).await;
    assert_eq!(corrected(&house).await.len(), 3, "a retry corrects nothing again");
}

#[tokio::test]
async fn sending_the_accepted_content_again_corrects_no_refused_change_of_it() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "a", &calm("v1")).await;
    house.submit(episode, "b", &saddle("v1")).await;
    assert_eq!(reasons(&house).await.len(), 1);
    house.submit(episode, "c", &calm("v1")).await;
    assert!(corrected(&house).await.is_empty());
}
