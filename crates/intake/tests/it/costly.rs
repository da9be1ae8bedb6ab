//! Input that is made to cost much more than it is long, and answers that could grow without end.

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{RefusalReason, SubmissionRefused};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{House, calm, record, registration, saddle};

/// An object of so many fields that nobody knows.
fn unknown(count: usize) -> Value {
    (0..count).map(|n| (format!("unknown-{n}"), json!(1))).collect()
}

#[tokio::test]
async fn an_answer_names_a_thousand_faults_of_any_number() {
    let house = House::open().await;
    let episode = house.episode().await;
    let mut body = calm("v1");
    body["pain"] = unknown(50_000);
    let answer = house.submit(episode, "k", &body).await;
    assert_eq!((answer.status, answer.pointers().len()), (StatusCode::UNPROCESSABLE_ENTITY, 1_000));
    let mut body = registration();
    (body["contact"], body["patient"]) = (unknown(20_000), unknown(20_000));
    let answer = house.register(&body).await;
    assert_eq!((answer.status, answer.pointers().len()), (StatusCode::UNPROCESSABLE_ENTITY, 1_000));
    assert!(answer.text.len() < 1 << 20);
}

#[tokio::test]
async fn a_field_s_name_of_a_mebibyte_is_answered_in_a_few_bytes() {
    let house = House::open().await;
    let mut faulty = registration();
    faulty["patient"]["x".repeat(1_000_000)] = json!("yes");
    faulty["y".repeat(40_000)] = json!("yes");
    let answer = house.register(&faulty).await;
    assert_eq!((answer.status, answer.pointers().len()), (StatusCode::UNPROCESSABLE_ENTITY, 2));
    assert!(answer.text.len() < 2_000, "{} bytes", answer.text.len());
}

#[tokio::test]
async fn the_faults_of_a_record_are_not_kept_with_each_of_its_danger_signs() {
    let house = House::open().await;
    let visits: Vec<_> = (0..100).map(|n| saddle(&format!("v{n}"))).collect();
    let mut faulty = record(&visits);
    faulty["contact"] = unknown(20_000);
    let answer = house.import(&[faulty]).await.remove(0);
    assert_eq!(answer["faults"].as_array().map(Vec::len), Some(1_000), "the importer is told a thousand");
    let refused = house.events::<SubmissionRefused>().await;
    let of = |reason| refused.iter().filter(|event| event.reason() == reason).count();
    assert_eq!(of(RefusalReason::DangerSign), 100, "each danger sign pages");
    assert_eq!(of(RefusalReason::Unreadable), 1, "what is left has more names than are read");
    let kept = house.get(&format!("/episodes/{}/refusals", refused[0].episode_id)).await.json();
    assert_eq!(kept["refusals"][0]["faults"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn what_an_episode_holds_is_shown_in_pages_latest_first() {
    let house = House::open().await;
    let day = |n: usize| format!("2026-01-{:02}T10:{:02}:00Z", 5 + n / 60, n % 60);
    let mut whole = record(&[]);
    whole["submissions"] = (0..250)
        .map(|n| {
            let mut visit = calm(&format!("v{n:03}"));
            visit["assessed_at"] = json!(day(n));
            visit
        })
        .collect();
    whole["adjudications"] = (0..30).map(|n| json!({ "kind": "longstanding", "item": "saddle_sensation", "by": "dr-a", "at": day(n), "note": "old" })).collect();
    let id = house.import(&[whole]).await[0]["episode"].as_str().expect("an id").to_owned();
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/episodes/{id}{query}")).await.json();
        let visits = page["submissions"].as_array().expect("a list");
        assert!(visits.len() <= 100);
        let ids: Vec<_> = visits.iter().map(|visit| visit["sender_id"].as_str().expect("an id").to_owned()).collect();
        seen = ids.into_iter().chain(seen).collect();
        let Some(before) = page["submissions_before"].as_str() else { break };
        query = format!("?submissions_before={before}");
    }
    assert_eq!(seen, (0..250).map(|n| format!("v{n:03}")).collect::<Vec<_>>());
    let page = house.get(&format!("/episodes/{id}")).await.json();
    let (signed, before) =
        (&page["adjudications"], page["adjudications_before"].as_str().expect("there are older ones"));
    assert_eq!((signed.as_array().map(Vec::len), &signed[24]["at"]), (Some(25), &json!("2026-01-05T10:29:00Z")));
    let rest = house.get(&format!("/episodes/{id}?adjudications_before={before}")).await.json();
    assert_eq!(rest["adjudications"].as_array().map(Vec::len), Some(5));
    assert!(rest["adjudications_before"].is_null());
}

#[tokio::test]
async fn refusals_are_shown_up_to_four_mebibytes() {
    let house = House::open().await;
    let episode = house.episode().await;
    for n in 0..6 {
        let body = format!("{}{n}", " ".repeat(1_000_000));
        assert_eq!(house.submit_raw(episode, "k", body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let shown = house.get(&format!("/episodes/{episode}/refusals")).await.json();
    assert_eq!(shown["refusals"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn the_latest_hundred_refusals_are_shown() {
    let house = House::open().await;
    let episode = house.episode().await;
    for n in 0..102 {
        let answer = house.submit_raw(episode, "k", json!({ "id": format!("v{n}") }).to_string()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        house.clock.advance(std::time::Duration::from_secs(1));
    }
    let shown = house.get(&format!("/episodes/{episode}/refusals")).await.json();
    let bodies: Vec<_> = shown["refusals"].as_array().expect("a list").iter().map(|one| one["body"].clone()).collect();
    assert_eq!((bodies.len(), &bodies[0], &bodies[99]), (100, &json!(r#"{"id":"v101"}"#), &json!(r#"{"id":"v2"}"#)));
}

#[tokio::test]
async fn a_chain_of_replacements_as_long_as_a_record_may_be_is_taken() {
    let house = House::open().await;
    let visit = |n: usize| {
        let mut visit = calm(&format!("v{n}"));
        visit["supersedes"] = json!(n.checked_sub(1).map(|old| format!("v{old}")));
        visit
    };
    let visits: Vec<_> = (0..2_000).map(visit).collect();
    assert_eq!(house.import(&[record(&visits)]).await[0]["outcome"], "accepted");
}

#[tokio::test]
async fn an_import_of_more_records_or_values_than_there_may_be_is_refused() {
    let house = House::open().await;
    let lines = "{}\n".repeat(1_001);
    let answer = house.send(Role::System, Method::POST, "/imports", &[], lines).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let values = format!("[{}0]\n", "0,".repeat(250_000));
    assert_eq!(house.import_raw(values).await[0]["outcome"], "refused");
    assert_eq!(
        house.get(&format!("/episodes/{}?submissions_before=x", Uuid::nil())).await.status,
        StatusCode::BAD_REQUEST
    );
}
