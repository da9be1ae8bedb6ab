//! A refused submission cannot hide a red flag.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use futures_util::{StreamExt, stream};
use lasegue_contracts::intake::{RefusalCorrected, RefusalReason, SubmissionAccepted, SubmissionRefused};
use lasegue_platform::auth::Role;
use lasegue_platform::clock::SystemClock;
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

/// The ids under which refusals were told.
async fn told(house: &House) -> BTreeSet<String> {
    house.events::<SubmissionRefused>().await.into_iter().map(|event| event.refusal_id).collect()
}

async fn send_without_key(house: &House, episode: Uuid, body: &Value) -> Answer {
    let path = format!("/episodes/{episode}/submissions");
    house.send(Role::Clinician, Method::POST, &path, &[], body.to_string()).await
}

#[tokio::test]
async fn a_danger_sign_in_a_refused_submission_is_kept_once_told_at_once_and_can_be_read() {
    let house = House::open().await;
    let episode = house.episode().await;
    for key in ["k", "k", "k-2"] {
        let answer = house.submit(episode, key, &faulty("v1")).await;
        assert_eq!(answer.pointers(), ["/pain/leg/value"]);
    }
    assert_eq!(reasons(&house).await, [RefusalReason::DangerSign; 3], "whether it is known is alerting's to say");
    assert_eq!(told(&house).await.len(), 1, "under one id");
    assert_eq!(house.subjects().await[1], "submission-refused", "on the live lane");
    insta::assert_json_snapshot!("refusals", house.get(&format!("/episodes/{episode}/refusals")).await.shown());
    house.submit(episode, "k", &with(faulty("v1"), "/colour", json!("blue"))).await;
    assert_eq!(told(&house).await.len(), 2, "another content is another refusal");
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
    let large = format!("{{ \"id\": \"{}\" }}", "x".repeat(1 << 20));
    let deep = "[".repeat(1_000);
    let unreadable: [(&[u8], StatusCode); 7] = [
        (b"", StatusCode::UNPROCESSABLE_ENTITY),
        (b"{ \"cauda_equina\": { \"saddle", StatusCode::UNPROCESSABLE_ENTITY),
        (b"[{}]", StatusCode::UNPROCESSABLE_ENTITY),
        (b"{ \"id\": \"\xff\" }", StatusCode::UNPROCESSABLE_ENTITY),
        (b"{ \"visit\": {} }", StatusCode::UNPROCESSABLE_ENTITY),
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
async fn a_danger_sign_pages_in_whatever_case_type_spelling_or_text_it_was_written() {
    let house = House::open().await;
    let episode = house.episode().await;
    let typo = |id: &str| with(calm(id), "/pain/leg/valeu", json!(40));
    let cauda_equina = |id: &str, answer: Value| with(calm(id), "/cauda_equina/saddle_sensation", answer);
    let utf_16: Vec<u8> = saddle("v9").to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let risk = json!({ "fever": "yes", "iv_drug_use": "yes" });
    let twice = saddle("v10").to_string().replacen('{', r#"{ "cauda_equina": {}, "#, 1);
    let bodies = [
        with(typo("v1"), "/motor", json!({ "ankle_dorsiflexion": { "left": 2.0 } })).to_string().into_bytes(),
        with(calm("v2"), "/motor", json!({ "ankle_dorsiflexion": { "left": "2" } })).to_string().into_bytes(),
        cauda_equina("v3", json!("Yes")).to_string().into_bytes(),
        cauda_equina("v4", json!(true)).to_string().into_bytes(),
        with(calm("v5"), "/caudaequina", json!({ "saddle_sensation": "yes" })).to_string().into_bytes(),
        with(calm("v6"), "/Motor", json!({ "ankle_dorsiflexion": { "left": 3 } })).to_string().into_bytes(),
        with(typo("v7"), "/cauda_equina/post_void_residual_ml", json!(600)).to_string().into_bytes(),
        with(with(typo("v8"), "/serious", risk), "/new_weakness", json!("yes")).to_string().into_bytes(),
        utf_16,
        twice.into_bytes(),
    ];
    for (count, body) in bodies.into_iter().enumerate() {
        let answer = house.submit_raw(episode, &format!("k{count}"), body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert_eq!(reasons(&house).await, vec![RefusalReason::DangerSign; count + 1], "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_written_otherwise_and_means_one_thing_is_taken() {
    let house = House::open().await;
    let episode = house.episode().await;
    let marked = format!("\u{feff}{}", with(calm("v1"), "/pain/leg/value", json!(40.0)));
    house.submit_raw(episode, "a", marked).await.id();
    house.submit(episode, "b", &calm("v1")).await.id();
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 1, "both are the same submission");
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
async fn a_body_that_stalls_is_told_as_far_as_it_came() {
    let house = House::open().await;
    let episode = house.episode().await;
    let clock = house.clock.clone();
    let begun = stream::iter([Ok::<_, std::io::Error>("{ \"cauda_equina\": { \"saddle")]);
    let rest = stream::once(async move {
        clock.advance(Duration::from_secs(20));
        std::future::pending().await
    });
    let answer = house.submit_raw(episode, "k", Body::from_stream(begun.chain(rest))).await;
    assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::REQUEST_TIMEOUT, &json!("timeout")));
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

#[tokio::test]
async fn a_body_that_was_refused_and_corrected_is_told_anew_when_it_comes_again() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "a", &faulty("v1")).await;
    house.submit(episode, "a", &calm("v1")).await;
    assert_eq!(corrected(&house).await.len(), 1);
    house.submit(episode, "b", &faulty("v1")).await;
    assert_eq!(told(&house).await.len(), 2);
    assert_eq!(corrected(&house).await.len(), 1);
}

#[tokio::test]
async fn what_another_sender_says_under_the_same_key_or_id_settles_no_refusal() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "1", &faulty("v1")).await;
    house.submit_as("dr-b", episode, "1", &calm("v2")).await.id();
    house.submit_as("dr-b", episode, "2", &calm("v1")).await.id();
    assert!(corrected(&house).await.is_empty());
    house.submit(episode, "1", &calm("v3")).await.id();
    assert_eq!(corrected(&house).await.len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_sender() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "1", &calm("v1")).await.id();
    assert_eq!(house.submit_as("dr-b", episode, "1", &calm("v2")).await.status, StatusCode::ACCEPTED);
    assert_eq!(house.submit(episode, "1", &calm("v2")).await.json()["code"], "idempotency-key-reused");
}

#[tokio::test]
async fn events_call_a_sender_by_the_same_id_and_no_name() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "1", &faulty("v1")).await;
    house.submit(episode, "2", &faulty("v2")).await;
    house.submit_as("dr-b", episode, "3", &faulty("v3")).await;
    let senders: Vec<_> = house.events::<SubmissionRefused>().await.into_iter().map(|event| event.sender_id).collect();
    assert!(senders[0] == senders[1] && senders[1] != senders[2] && !senders[0].contains("dr-a"));
}

/// The episodes under whose alerts refusals were told, and those that they were sent to.
async fn alerts(house: &House) -> (BTreeSet<String>, BTreeSet<String>) {
    let told = house.events::<SubmissionRefused>().await;
    let sent_to = |event: &SubmissionRefused| match event.sent_to_episode_id.as_str() {
        "" => event.episode_id.clone(),
        elsewhere => elsewhere.to_owned(),
    };
    (told.iter().map(|event| event.episode_id.clone()).collect(), told.iter().map(sent_to).collect())
}

#[tokio::test]
async fn garbage_of_one_sender_shares_an_alert_for_ten_minutes() {
    let house = House::open().await;
    for number in 0..50 {
        house.submit_raw(Uuid::from_u128(number), "k", format!("garbage {number}")).await;
        house.submit(Uuid::from_u128(number), "k", &faulty("v1")).await;
    }
    let (shared, sent_to) = alerts(&house).await;
    assert_eq!((shared.len(), sent_to.len()), (1, 50), "and each says where it was sent to");
    let other = house.submit_as("dr-b", Uuid::from_u128(1), "k", &json!({})).await;
    assert_eq!(
        (other.status, alerts(&house).await.0.len()),
        (StatusCode::NOT_FOUND, 2),
        "another sender's has its own"
    );
    house.clock.advance(Duration::from_mins(10));
    house.submit_raw(Uuid::from_u128(60), "k", "more garbage").await;
    assert_eq!(alerts(&house).await.0.len(), 3);
}

#[tokio::test]
async fn a_danger_sign_of_a_registered_patient_has_an_alert_of_its_own_whatever_else_its_sender_sends() {
    let house = House::open().await;
    house.submit_raw(Uuid::from_u128(1), "k", "garbage").await;
    let episode = house.episode().await;
    house.submit(episode, "k", &faulty("v1")).await;
    assert!(alerts(&house).await.0.contains(&episode.to_string()));
}

#[tokio::test]
async fn a_correction_is_told_under_the_alert_of_its_refusal() {
    let house = House::open().await;
    house.submit_raw(Uuid::from_u128(1), "k", "garbage").await;
    let episode = house.episode().await;
    house.submit_raw(episode, "k", "garbage").await;
    house.submit(episode, "k", &calm("v1")).await.id();
    let told = house.events::<RefusalCorrected>().await;
    assert_eq!(told[0].episode_id, Uuid::from_u128(1).to_string());
    assert_eq!(told[0].refusal_id, house.events::<SubmissionRefused>().await[1].refusal_id);
}

#[tokio::test]
async fn what_is_sent_to_an_address_spelt_otherwise_or_by_another_method_is_refused_and_read_for_danger() {
    let house = House::open().await;
    let episode = house.episode().await;
    let right = format!("/api/v1/episodes/{episode}/submissions");
    let tries = [
        (Method::PUT, right.clone(), StatusCode::METHOD_NOT_ALLOWED),
        (Method::PATCH, right.clone(), StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, right.replace("/submissions", "/Submissions"), StatusCode::NOT_FOUND),
        (Method::POST, right.replace("/api", "/API") + "/", StatusCode::NOT_FOUND),
        (Method::POST, right.replace("/submissions", "/%73ubmissions"), StatusCode::NOT_FOUND),
        (Method::POST, right.replace("/submissions", "//submissions"), StatusCode::NOT_FOUND),
        (Method::POST, right.replace("/submissions", "/submission"), StatusCode::NOT_FOUND),
        (Method::POST, right.clone() + "/v1", StatusCode::NOT_FOUND),
    ];
    for (count, (method, path, status)) in tries.into_iter().enumerate() {
        let body = saddle(&format!("v{count}")).to_string();
        let answer = house.send_to(Role::Clinician, method, &path, &[], body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(reasons(&house).await, vec![RefusalReason::DangerSign; count + 1]);
    }
    let empty = house.send_to(Role::Clinician, Method::GET, &right, &[], "").await;
    assert_eq!((empty.status, &empty.headers["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().expect("it")));
    let stranger = house.send_to(Role::Auditor, Method::PUT, &right, &[], saddle("v9").to_string()).await;
    assert_eq!((stranger.status, reasons(&house).await.len()), (StatusCode::FORBIDDEN, 8));
}

#[tokio::test]
async fn a_submission_sent_to_the_address_of_something_else_is_read_for_danger() {
    let house = House::open().await;
    let episode = house.episode().await;
    let tries = [(Method::POST, "/adjudications"), (Method::PATCH, "")];
    for (count, (method, end)) in tries.into_iter().enumerate() {
        let path = format!("/episodes/{episode}{end}");
        let key = [("idempotency-key", "k")];
        for (body, told) in [(calm("v1"), count), (saddle("v1"), count + 1)] {
            let answer = house.send(Role::Clinician, method.clone(), &path, &key, body.to_string()).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
            let answered = reasons(&house).await.len();
            assert_eq!(answered, told, "{method} {path}");
        }
    }
    let faulty = json!({ "kind": "longstanding", "item": "saddle_sensation", "note": "yes" });
    let path = format!("/episodes/{episode}/adjudications");
    house.send(Role::Clinician, Method::POST, &path, &[("idempotency-key", "k")], faulty.to_string()).await;
    assert_eq!(reasons(&house).await.len(), 2, "a faulty adjudication is no submission");
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_address_is_no_fault() {
    let house = House::open().await;
    let episode = house.episode().await;
    let path = format!("/episodes/{episode}/submissions/");
    let key = [("idempotency-key", "k")];
    house.send(Role::Clinician, Method::POST, &path, &key, calm("v1").to_string()).await.id();
}

#[tokio::test]
async fn after_ninety_days_only_refusals_that_were_told_are_kept() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "calm", &with(calm("v1"), "/colour", json!("blue"))).await;
    house.submit(episode, "feared", &faulty("v2")).await;
    house.submit(episode, "taken", &calm("v3")).await.id();
    let kept = async || house.get(&format!("/episodes/{episode}/refusals")).await.json()["refusals"].clone();
    assert_eq!(kept().await.as_array().map(Vec::len), Some(2));
    house.clock.advance(Duration::from_hours(24 * 91));
    while kept().await.as_array().map(Vec::len) != Some(1) {
        SystemClock::shared().sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(kept().await[0]["reason"], "danger-sign");
    assert_eq!(house.submit(episode, "taken", &calm("v4")).await.status, StatusCode::ACCEPTED, "the key is free again");
    assert_eq!(house.submit(episode, "other", &calm("v3")).await.status, StatusCode::ACCEPTED, "the content is known");
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 2);
}
