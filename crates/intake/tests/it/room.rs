//! An episode holds so much and no more, and its end is no cliff: what does not fit is refused and read for danger.

use axum::http::StatusCode;
use lasegue_contracts::intake::SubmissionRefused;
use lasegue_values::limits::MOST_SUBMISSIONS;
use serde_json::json;

use crate::harness::{House, calm, record, saddle};

#[tokio::test]
async fn a_submission_too_many_is_refused_with_a_sentence_and_its_danger_sign_pages() {
    let house = House::open().await;
    let visits: Vec<_> = (0..MOST_SUBMISSIONS).map(|n| calm(&format!("v{n}"))).collect();
    let taken = house.import(&[record(&visits)]).await;
    assert_eq!(taken[0]["outcome"], "accepted");
    let episode = taken[0]["episode"].as_str().expect("an id").parse().expect("a UUID");
    let again = house.submit(episode, "again", &calm("v7")).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "what is there already needs no room");
    let more = house.submit(episode, "more", &saddle("more")).await;
    assert_eq!((more.status, &more.json()["code"]), (StatusCode::CONFLICT, &json!("episode-full")));
    assert!(more.text.contains("The episode has 2000 submissions"), "{}", more.text);
    assert_eq!(house.events::<SubmissionRefused>().await.len(), 1);
    let imported = house.import(&[record(&[saddle("imported")])]).await;
    assert_eq!(imported[0]["outcome"], "refused");
    assert_eq!(house.events::<SubmissionRefused>().await.len(), 2);
}
