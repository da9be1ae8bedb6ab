//! Registering, reading and changing episodes.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{EpisodeRegistered, EpisodeUpdated, Sex};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, House, calm, registration, with};

async fn patch(house: &House, id: Uuid, headers: &[(&str, &str)], body: &Value) -> Answer {
    house.send(Role::Coordinator, Method::PATCH, &format!("/episodes/{id}"), headers, body.to_string()).await
}

#[tokio::test]
async fn an_episode_is_registered_with_its_event_and_read_back() {
    let house = House::open().await;
    let answer = house.register(&registration()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let id = answer.id();
    assert_eq!(answer.headers["location"], format!("/api/v1/episodes/{id}"));
    let event = house.events::<EpisodeRegistered>().await.remove(0);
    assert_eq!((event.episode_id, event.version), (id.to_string(), 1));
    assert_eq!(event.patient.expect("a block").sex(), Sex::Female);
    house.submit(id, "k", &calm("v1")).await;
    let read = house.get(&format!("/episodes/{id}")).await;
    assert_eq!(read.headers["etag"], "\"1\"");
    insta::assert_json_snapshot!("episode", read.shown());
}

#[tokio::test]
async fn every_field_of_an_episode_is_in_its_event() {
    let house = House::open().await;
    let body = json!({
        "patient": { "birth_date": "1980-06-15", "sex": "other" },
        "episode": {
            "onset_date": "2026-01-01", "treatment_start": "2026-01-05", "time_zone": "Europe/London",
            "workers_compensation": "yes", "prior_low_back_pain": "no", "candidate_surgery": "unknown",
            "candidate_epidural": "yes", "plexus_uncertain": "no", "pregnant": "unknown", "conservative_failed": "yes",
            "treatments": [{ "date": "2026-01-06", "kind": "nsaid", "change": "start", "outcome": "failed" }],
            "imaging": [{ "date": "2026-01-07", "modality": "mri", "region": "lumbar", "lesion": "contained",
                          "root": "R-L5", "concordant": "yes" }]
        }
    });
    house.register(&body).await.id();
    insta::assert_debug_snapshot!("full_registration", house.events::<EpisodeRegistered>().await);
}

#[tokio::test]
async fn nothing_personal_is_in_an_event() {
    let house = House::open().await;
    let id = house.episode().await;
    house.submit(id, "k", &calm("sender-visit-1")).await;
    patch(&house, id, &[], &json!({ "patient": { "id": "sender-patient-8" }, "episode": { "pregnant": "no" } })).await;
    for row in house.outbox().await {
        let (bytes, subject) = (String::from_utf8_lossy(&row.payload).into_owned(), row.subject);
        for personal in ["Testa", "7946", "sender-"] {
            assert!(!bytes.contains(personal) && !subject.contains(personal), "{personal} is in {subject}");
        }
    }
    assert_eq!(house.outbox().await.len(), 3);
}

#[tokio::test]
async fn all_faults_of_a_registration_are_named_at_once() {
    let house = House::open().await;
    let mut body = registration();
    body["patient"]["birth_date"] = json!("1980-02-30");
    body["episode"]["treatment_start"] = json!("2026-01-22");
    body["contact"]["phone"] = json!("none");
    body["ward"] = json!("7");
    insta::assert_json_snapshot!("faulty_registration", house.register(&body).await.shown());
    assert!(house.outbox().await.is_empty());
}

#[tokio::test]
async fn a_date_in_the_future_and_a_birth_after_the_onset_are_refused() {
    let house = House::open().await;
    let mut body = registration();
    body["patient"]["birth_date"] = json!("2026-01-02");
    body["episode"]["treatment_start"] = json!("2026-01-22");
    body["episode"]["imaging"] = json!([{ "date": "2026-02-01", "modality": "mri", "region": "lumbar" }]);
    body["contact"]["phone"] = json!("none");
    let pointers = house.register(&body).await.pointers();
    let expected = ["/contact/phone", "/patient/birth_date", "/episode/treatment_start", "/episode/imaging/0/date"];
    assert_eq!(pointers, expected);
}

#[tokio::test]
async fn the_same_patient_and_episode_again_is_a_conflict_that_names_the_first() {
    let house = House::open().await;
    house.episode().await;
    insta::assert_json_snapshot!("registered_already", house.register(&registration()).await.shown());
    let other = with(registration(), "/episode/id", json!("sender-episode-2"));
    assert_eq!(house.register(&other).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_registration_repeated_under_its_key_is_answered_alike() {
    let house = House::open().await;
    let send = async |body: Value| {
        let key = [("idempotency-key", "r-1")];
        house.send(Role::System, Method::POST, "/episodes", &key, body.to_string()).await
    };
    let first = send(registration()).await;
    assert_eq!(first.id(), send(registration()).await.id());
    assert_eq!(house.outbox().await.len(), 1);
    let other = with(registration(), "/clinic", json!("pain"));
    insta::assert_json_snapshot!("key_reused", send(other).await.shown());
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_tells_the_whole_blocks() {
    let house = House::open().await;
    let id = house.episode().await;
    let change = json!({
        "episode": { "pregnant": "no", "treatments": [{ "date": "2026-01-06", "kind": "nsaid", "change": "start" }] },
        "patient": { "sex": null },
        "contact": { "phone": null, "email": "testa@example.org" }
    });
    let answer = patch(&house, id, &[("if-match", "\"1\"")], &change).await;
    let version = answer.json()["version"].as_i64();
    assert!(answer.status == StatusCode::OK && version > Some(1), "{version:?}");
    let event = house.events::<EpisodeUpdated>().await.remove(0);
    let (patient, episode) = (event.patient.expect("a block"), event.episode.expect("a block"));
    assert_eq!((patient.sex(), episode.onset_date.as_str()), (Sex::Unspecified, "2026-01-01"));
    assert_eq!(i64::try_from(event.version).ok(), version);
    assert_eq!(patient.birth_date.as_deref(), Some("1980-06-15"));
    let read = house.get(&format!("/episodes/{id}")).await.json();
    let contact = json!({ "name": "Testa Syntheta", "email": "testa@example.org", "consent_to_messages": true });
    assert_eq!(read["contact"], contact);
}

#[tokio::test]
async fn a_patch_of_contact_data_alone_tells_nobody_and_one_that_changes_nothing_counts_nothing() {
    let house = House::open().await;
    let id = house.episode().await;
    let version = async |body: Value| patch(&house, id, &[], &body).await.json()["version"].as_i64();
    let changed = version(json!({ "contact": { "name": "Testa Synthetos" } })).await;
    assert_eq!(version(json!({ "contact": { "name": "Testa Synthetos" } })).await, changed);
    assert!(version(json!({ "contact": null, "clinic": null })).await > changed);
    assert!(house.get(&format!("/episodes/{id}")).await.json().get("contact").is_none());
    assert_eq!(house.subjects().await, ["episode-registered"]);
}

#[tokio::test]
async fn a_patch_is_refused_when_faulty_late_or_contradicting() {
    let house = House::open().await;
    let id = house.episode().await;
    let faulty = json!({ "episode": { "onset_date": null }, "contact": { "phone": "none" }, "submissions": [] });
    insta::assert_json_snapshot!("faulty_patch", patch(&house, id, &[], &faulty).await.shown());
    let change = json!({ "clinic": "pain" });
    for tag in ["\"7\"", "W/\"1\"", "nonsense"] {
        let late = patch(&house, id, &[("if-match", tag)], &change).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{tag}");
    }
    insta::assert_json_snapshot!("version_passed", patch(&house, id, &[("if-match", "\"7\"")], &change).await.shown());
    assert_eq!(patch(&house, id, &[("if-match", "*")], &change).await.status, StatusCode::OK);
    house.register(&with(registration(), "/episode/id", json!("2"))).await;
    let taken = patch(&house, id, &[], &json!({ "episode": { "id": "2" } })).await;
    assert_eq!((taken.status, &taken.json()["code"]), (StatusCode::CONFLICT, &json!("already-registered")));
    let list = patch(&house, id, &[], &json!([])).await;
    assert_eq!(list.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_is_unknown_is_not_found() {
    let house = House::open().await;
    insta::assert_json_snapshot!("no_episode", house.get(&format!("/episodes/{}", Uuid::nil())).await.shown());
    assert_eq!(house.get("/episodes/7").await.status, StatusCode::NOT_FOUND);
    let change = patch(&house, Uuid::nil(), &[], &json!({ "clinic": "pain" })).await;
    assert_eq!(change.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_route_answers_to_its_roles_alone() {
    let house = House::open().await;
    let id = house.episode().await;
    let one = format!("/episodes/{id}");
    let at = |rest: &str| format!("{one}/{rest}");
    for (method, path, roles) in [
        (Method::POST, "/episodes".to_owned(), &[Role::Clinician, Role::Coordinator, Role::System][..]),
        (Method::PATCH, one.clone(), &[Role::Clinician, Role::Coordinator, Role::System]),
        (Method::GET, one.clone(), &[Role::Clinician, Role::Coordinator, Role::Auditor, Role::System]),
        (Method::POST, at("submissions"), &[Role::Clinician, Role::System]),
        (Method::POST, at("adjudications"), &[Role::Clinician, Role::System]),
        (Method::GET, at("refusals"), &[Role::Clinician, Role::Auditor]),
        (Method::POST, "/imports".to_owned(), &[Role::Operator, Role::System]),
    ] {
        for role in Role::ALL {
            let answer = house.send(role, method.clone(), &path, &[], Body::empty()).await;
            let let_in = answer.status != StatusCode::FORBIDDEN;
            assert_eq!(let_in, roles.contains(&role), "{method} {path} as {role:?}");
        }
    }
}
