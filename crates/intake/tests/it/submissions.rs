//! Submissions: taken once, whole, or refused with everything that is wrong.

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::SubmissionAccepted;
use lasegue_platform::auth::Role;
use proptest::prelude::*;
use serde_json::json;

use crate::harness::{House, form, open, types};

#[tokio::test]
async fn an_accepted_submission_is_told_of_under_our_own_id() {
    let house = House::new().await;
    let episode = house.register().await;
    house.live().await;
    let answer = house.submit(&episode, "key-1", &form("sender-7")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let events = house.live().await;
    let event: SubmissionAccepted = open(&events[0]);
    let submission = event.submission.expect("it holds one");
    assert_eq!(Some(submission.id.as_str()), answer.json()["id"].as_str());
    assert!(submission.received_at.is_some(), "it is stamped on arrival");
    assert!(!String::from_utf8_lossy(&events[0].payload).contains("sender-7"));
}

#[tokio::test]
async fn a_retry_is_answered_alike_and_taken_once() {
    let house = House::new().await;
    let episode = house.register().await;
    let first = house.submit(&episode, "key-1", &form("v1")).await;
    let retry = house.submit(&episode, "key-1", &form("v1")).await;
    let another_key = house.submit(&episode, "key-2", &form("v1")).await;
    assert_eq!(first.json(), retry.json());
    assert_eq!(first.json(), another_key.json());
    assert_eq!(types(&house.live().await), ["EpisodeRegistered", "SubmissionAccepted"]);
}

#[tokio::test]
async fn a_key_stands_for_one_body_and_an_id_for_one_content() {
    let house = House::new().await;
    let episode = house.register().await;
    house.submit(&episode, "key-1", &form("v1")).await;
    let mut other = form("v1");
    other["pain"]["leg"]["value"] = json!(6);
    let key_reused = house.submit(&episode, "key-1", &other).await;
    insta::assert_json_snapshot!("key reused", key_reused.shown());
    let id_reused = house.submit(&episode, "key-2", &other).await;
    insta::assert_json_snapshot!("id reused", id_reused.shown());
}

#[tokio::test]
async fn all_faults_are_named_at_once() {
    let house = House::new().await;
    let episode = house.register().await;
    let mut body = form("v1");
    body["assessed_at"] = json!("2026-01-22T09:00:00Z");
    body["received_at"] = json!("2026-01-21T09:00:00Z");
    body["supersedes"] = json!("v0");
    body["pain"]["leg"]["value"] = json!(11);
    body["trauma"] = json!({ "occurred": "yes", "date": "2026-13-01" });
    body["colour"] = json!("blue");
    let answer = house.submit(&episode, "key-1", &body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        answer.pointers(),
        ["/assessed_at", "/colour", "/pain/leg/value", "/received_at", "/supersedes", "/trauma/date"]
    );
}

#[tokio::test]
async fn a_trauma_after_today_is_refused() {
    let house = House::new().await;
    let episode = house.register().await;
    let mut body = form("v1");
    body["trauma"] = json!({ "occurred": "yes", "date": "2026-01-23" });
    assert_eq!(house.submit(&episode, "key-1", &body).await.pointers(), ["/trauma/date"]);
}

#[tokio::test]
async fn a_replacement_names_what_it_replaces_by_either_id() {
    let house = House::new().await;
    let episode = house.register().await;
    let first = house.submit(&episode, "key-1", &form("v1")).await.json()["id"].clone();
    house.live().await;
    for (key, name, sender_id) in [("key-2", json!("v1"), "v2"), ("key-3", first.clone(), "v3")] {
        let mut body = form(sender_id);
        body["supersedes"] = name;
        assert_eq!(house.submit(&episode, key, &body).await.status, StatusCode::ACCEPTED);
        let event: SubmissionAccepted = open(&house.live().await[0]);
        assert_eq!(
            event.submission.and_then(|submission| submission.supersedes).map(|id| json!(id)),
            Some(first.clone())
        );
    }
}

#[tokio::test]
async fn without_a_key_an_unknown_episode_or_the_right_role_nothing_is_taken() {
    let house = House::new().await;
    let episode = house.register().await;
    assert_eq!(house.submit(&episode, "", &form("v1")).await.status, StatusCode::BAD_REQUEST);
    let nowhere = house.submit("01980000-0000-7000-8000-000000000001", "key-1", &form("v1")).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    let path = format!("/episodes/{episode}/submissions");
    let auditor = house.call(Role::Auditor, Method::POST, &path, "key-1", form("v1").to_string().as_bytes()).await;
    assert_eq!(auditor.status, StatusCode::FORBIDDEN);
    assert_eq!(types(&house.live().await), ["EpisodeRegistered"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn however_often_and_in_whatever_order_a_submission_arrives_it_is_told_of_once(
        order in prop::collection::vec(0_usize..4, 1..16),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("it builds");
        runtime.block_on(async {
            let house = House::new().await;
            let episode = house.register().await;
            let sent: Vec<_> = order.iter().map(|number| (format!("key-{number}"), form(&format!("v{number}")))).collect();
            let calls = sent.iter().map(|(key, body)| house.submit(&episode, key, body));
            let answers = futures_util::future::join_all(calls).await;
            assert!(answers.iter().all(|answer| answer.status == StatusCode::ACCEPTED), "{answers:?}");
            let distinct: std::collections::BTreeSet<_> = order.iter().collect();
            assert_eq!(house.live().await.len(), 1 + distinct.len());
        });
    }
}
