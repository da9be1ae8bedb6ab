//! Registering, changing and reading episodes.

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::EpisodeUpdated;
use lasegue_platform::auth::Role;
use serde_json::{Value, json};

use crate::harness::{House, open, registration, types};

async fn patch(house: &House, id: &str, body: &Value) -> crate::harness::Answer {
    house.call(Role::Clinician, Method::PATCH, &format!("/episodes/{id}"), "", body.to_string().as_bytes()).await
}

async fn read(house: &House, id: &str) -> Value {
    house.call(Role::Clinician, Method::GET, &format!("/episodes/{id}"), "", b"").await.json()
}

#[tokio::test]
async fn a_registered_episode_is_told_of_without_contact_data() {
    let house = House::new().await;
    let id = house.register().await;
    let events = house.live().await;
    assert_eq!(types(&events), ["EpisodeRegistered"]);
    assert!(events[0].subject.ends_with(&id));
    let bytes = String::from_utf8_lossy(&events[0].payload).to_lowercase();
    for secret in ["syntheta", "testa@", "mrn-1", "episode-1"] {
        assert!(!bytes.contains(secret), "the event says {secret}");
    }
    let episode = read(&house, &id).await;
    assert_eq!(episode["contact"]["name"], "Testa Syntheta");
    assert_eq!(episode["version"], 1);
}

#[tokio::test]
async fn the_same_sender_s_ids_are_registered_once() {
    let house = House::new().await;
    let id = house.register().await;
    let again = house.post("/episodes", "", &registration()).await;
    assert_eq!((again.status, again.json()["id"].as_str()), (StatusCode::CONFLICT, Some(id.as_str())));
}

#[tokio::test]
async fn a_retry_of_a_registration_is_answered_alike() {
    let house = House::new().await;
    let first = house.post("/episodes", "key-1", &registration()).await;
    let retry = house.post("/episodes", "key-1", &registration()).await;
    assert_eq!((first.status, first.json()), (retry.status, retry.json()));
    assert_eq!(house.live().await.len(), 1);
}

#[tokio::test]
async fn all_faults_of_a_registration_are_named_at_once() {
    let house = House::new().await;
    let mut body = registration();
    body["patient"]["sex"] = json!("both");
    body["episode"]["onset_date"] = json!("2026-02-30");
    body["contact"]["email"] = json!("nobody");
    body["clinic"] = json!(7);
    let answer = house.post("/episodes", "", &body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.pointers(), ["/clinic", "/contact/email", "/episode/onset_date", "/patient/sex"]);
    assert!(house.live().await.is_empty());
}

#[tokio::test]
async fn a_date_in_the_future_and_a_birth_after_the_onset_are_refused() {
    let house = House::new().await;
    let mut body = registration();
    body["patient"]["birth_date"] = json!("2025-12-19");
    body["episode"]["treatment_start"] = json!("2026-02-01");
    assert_eq!(
        house.post("/episodes", "", &body).await.pointers(),
        ["/episode/treatment_start", "/patient/birth_date"]
    );
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_tells_of_the_whole_blocks() {
    let house = House::new().await;
    let id = house.register().await;
    house.live().await;
    let body = json!({ "episode": { "candidate_surgery": "yes" }, "contact": { "phone": "+44 20 7946 0000" } });
    let answer = patch(&house, &id, &body).await;
    assert_eq!((answer.status, &answer.json()["version"]), (StatusCode::OK, &json!(2)));
    let events = house.live().await;
    let event: EpisodeUpdated = open(&events[0]);
    assert_eq!(event.version, 2);
    assert_eq!(event.episode.map(|episode| episode.onset_date), Some("2025-12-18".to_owned()));
    let episode = read(&house, &id).await;
    assert_eq!(episode["contact"], json!({ "phone": "+44 20 7946 0000" }));
    assert_eq!(episode["clinic"], "spine");
}

#[tokio::test]
async fn a_faulty_patch_changes_nothing() {
    let house = House::new().await;
    let id = house.register().await;
    let answer = patch(&house, &id, &json!({ "episode": { "pregnant": "perhaps" }, "contact": { "fax": "1" } })).await;
    assert_eq!(answer.pointers(), ["/contact", "/episode/pregnant"]);
    assert_eq!(read(&house, &id).await["version"], 1);
}

#[tokio::test]
async fn an_unknown_episode_is_not_found_and_a_patient_s_data_is_not_for_every_role() {
    let house = House::new().await;
    let path = "/episodes/01980000-0000-7000-8000-000000000001";
    assert_eq!(house.call(Role::Clinician, Method::GET, path, "", b"").await.status, StatusCode::NOT_FOUND);
    let id = house.register().await;
    let operator = house.call(Role::Operator, Method::GET, &format!("/episodes/{id}"), "", b"").await;
    assert_eq!(operator.status, StatusCode::FORBIDDEN);
}
