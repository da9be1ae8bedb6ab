//! Sixteen who do the same thing at once: one is first, and each of the others hears of it.

use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use lasegue_contracts::intake::{EpisodeRegistered, EpisodeUpdated, SubmissionAccepted};
use lasegue_platform::auth::Role;
use serde_json::json;

use crate::harness::{Answer, House, calm, registration};

const RUNNERS: usize = 16;

/// How many of the answers have this status.
fn count(answers: &[Answer], status: StatusCode) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status.as_u16()).collect()
}

#[tokio::test]
async fn of_sixteen_bodies_under_one_key_one_is_taken() {
    let house = House::open().await;
    let episode = house.episode().await;
    let bodies: Vec<_> = (0..RUNNERS).map(|n| calm(&format!("v{n}"))).collect();
    let answers = join_all(bodies.iter().map(|body| house.submit(episode, "k", body))).await;
    let others = count(&answers, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((count(&answers, StatusCode::ACCEPTED), others), (1, RUNNERS - 1), "{:?}", statuses(&answers));
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 1);
}

#[tokio::test]
async fn one_body_sent_sixteen_times_at_once_is_taken_once_and_answered_alike() {
    let house = House::open().await;
    let episode = house.episode().await;
    let body = calm("v");
    let answers = join_all((0..RUNNERS).map(|_| house.submit(episode, "k", &body))).await;
    assert!(answers.iter().all(|answer| answer.id() == answers[0].id()));
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 1);
}

#[tokio::test]
async fn of_sixteen_registrations_of_one_episode_one_is_made_and_the_others_name_it() {
    let house = House::open().await;
    let body = registration();
    let answers = join_all((0..RUNNERS).map(|_| house.register(&body))).await;
    let others = count(&answers, StatusCode::CONFLICT);
    assert_eq!((count(&answers, StatusCode::CREATED), others), (1, RUNNERS - 1), "{:?}", statuses(&answers));
    let named = |answer: &Answer| answer.json()["id"].clone();
    assert!(answers.iter().all(|answer| named(answer) == named(&answers[0])));
    assert_eq!(house.events::<EpisodeRegistered>().await.len(), 1);
}

#[tokio::test]
async fn of_sixteen_changes_to_the_version_that_all_have_read_one_is_made() {
    let house = House::open().await;
    let episode = house.episode().await;
    let path = format!("/episodes/{episode}");
    let version = [("if-match", "\"1\"")];
    let change =
        |day: usize| json!({ "episode": { "treatment_start": format!("2026-01-{:02}", day + 6) } }).to_string();
    let changing = (0..RUNNERS).map(|day| house.send(Role::Coordinator, Method::PATCH, &path, &version, change(day)));
    let answers = join_all(changing).await;
    let others = count(&answers, StatusCode::PRECONDITION_FAILED);
    assert_eq!((count(&answers, StatusCode::OK), others), (1, RUNNERS - 1), "{:?}", statuses(&answers));
    assert_eq!(house.events::<EpisodeUpdated>().await.len(), 1);
}
