//! Texts and times that one database would keep and the other not, or that a later service would refuse.

use axum::http::StatusCode;
use lasegue_contracts::intake::SubmissionRefused;
use serde_json::json;

use crate::harness::{House, calm, record, registration, saddle, with};

#[tokio::test]
async fn a_control_character_in_any_text_is_a_fault_at_its_place() {
    let house = House::open().await;
    let episode = house.episode().await;
    let answer = house.submit(episode, "a", &with(calm("v1"), "/id", json!("v\u{0}"))).await;
    assert_eq!((answer.status, answer.pointers()), (StatusCode::UNPROCESSABLE_ENTITY, vec!["/id".to_owned()]));
    let mut named = calm("v1");
    named["saddle\u{0}"] = json!("yes");
    assert_eq!(house.submit(episode, "b", &named).await.pointers(), ["/saddle\\u{0}"]);
    for place in ["/patient/id", "/episode/id", "/contact/name"] {
        let answer = house.register(&with(registration(), place, json!("a\u{0}b"))).await;
        assert_eq!((answer.status, answer.pointers()), (StatusCode::UNPROCESSABLE_ENTITY, vec![place.to_owned()]));
    }
}

#[tokio::test]
async fn a_danger_sign_beside_a_control_character_pages() {
    let house = House::open().await;
    let episode = house.episode().await;
    let answer = house.submit(episode, "k", &with(saddle("v1"), "/id", json!("v\u{0}"))).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.events::<SubmissionRefused>().await.len(), 1);
}

#[tokio::test]
async fn a_control_character_in_one_record_of_an_import_stops_no_other() {
    let house = House::open().await;
    let wicked = with(record(&[saddle("v1")]), "/patient/id", json!("a\u{0}b"));
    let answers = house.import(&[wicked, record(&[calm("v1")])]).await;
    assert_eq!((&answers[0]["outcome"], &answers[1]["outcome"]), (&json!("refused"), &json!("accepted")));
    assert_eq!(house.events::<SubmissionRefused>().await.len(), 1, "its danger sign pages all the same");
}

#[tokio::test]
async fn blanks_around_a_text_are_cut_off_before_it_is_kept() {
    let house = House::open().await;
    let episode = house.episode().await;
    let padded = format!("{}known for years{}", " ".repeat(10_500), " ".repeat(10_500));
    let body =
        json!({ "kind": "longstanding", "item": "saddle_sensation", "at": "2026-01-20T09:00:00Z", "note": padded });
    let answer = house.adjudicate(episode, "k", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let kept = house.get(&format!("/episodes/{episode}")).await.json();
    assert_eq!(kept["adjudications"][0]["note"], "known for years");
}

#[tokio::test]
async fn nothing_is_observed_or_signed_before_the_birth() {
    let house = House::open().await;
    let body = with(registration(), "/patient/birth_date", json!("1980-06-15"));
    let episode = house.register(&body).await.id();
    for (at, accepted) in
        [("1980-06-13T09:00:00Z", false), ("0000-01-01T00:00:00Z", false), ("1990-01-01T00:00:00Z", true)]
    {
        let visit = house.submit(episode, at, &with(calm(at), "/assessed_at", json!(at))).await;
        assert_eq!(visit.status == StatusCode::ACCEPTED, accepted, "{at}");
        let body = json!({ "kind": "longstanding", "item": "saddle_sensation", "at": at, "note": "old" });
        let signed = house.adjudicate(episode, at, &body).await;
        assert_eq!(signed.status == StatusCode::ACCEPTED, accepted, "{at}");
        assert!(accepted || signed.pointers() == ["/at"]);
    }
}
