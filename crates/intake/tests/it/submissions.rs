//! Submissions: accepted with their event, once, or refused with all their faults.

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{Answer, Author, Pain, Submission, SubmissionAccepted, Words};
use lasegue_platform::auth::Role;
use lasegue_platform::wire::instant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{House, NOW, calm, with};

#[tokio::test]
async fn a_submission_is_accepted_with_an_event_that_holds_what_it_says() {
    let house = House::open().await;
    let episode = house.episode().await;
    let answer = house.submit(episode, "k", &calm("v1")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.id(), Uuid::new_v5(&episode, b"v1"), "our id follows from the sender's");
    let event = house.events::<SubmissionAccepted>().await.remove(0);
    assert_eq!(event.episode_id, episode.to_string());
    let submission = event.submission.expect("a submission");
    assert_eq!((submission.author(), submission.id.as_str()), (Author::Clinician, &*answer.id().to_string()));
    let at = |text: &str| Ok(text.parse().expect("an instant"));
    assert_eq!(instant("assessed_at", submission.assessed_at.as_ref()), at("2026-01-20T09:00:00Z"));
    assert_eq!(instant("received_at", submission.received_at.as_ref()), at(NOW));
    let screen = submission.cauda_equina.expect("a block");
    assert_eq!(screen.items["saddle_sensation"].single(), Answer::No);
    assert_eq!(submission.serious.expect("a block").temperature_c.as_deref(), Some("37.95"));
    assert!(submission.odi.is_none() && submission.supersedes.is_none(), "what is missing stays missing");
    assert_eq!(house.subjects().await, ["episode-registered", "submission-accepted"]);
}

/// A submission in which every field of the format is set.
fn full() -> Value {
    let knee = |left: u8, right: u8| json!({ "left": left, "right": right });
    json!({
        "id": "v1", "assessed_at": "2026-01-20T10:00:00+01:00", "author": "ehr",
        "pain": {
            "leg": { "scale": "vas", "value": 60 }, "back": { "scale": "nrs", "value": 3 }, "dermatomes": ["R-L5", "L-S1"],
            "quality": ["burning", "pins"], "temporal": "night", "below_knee": { "left": "no", "right": "yes" },
            "dn4_interview": 4
        },
        "motor": { "knee_extension": knee(5, 4), "hip_flexion": { "left": 3, "right": null } },
        "motor_longstanding": ["left.hip_flexion"], "new_weakness": "unknown",
        "reflexes": { "knee": knee(2, 1), "ankle": knee(0, 4) },
        "sensation": { "left": { "L5": 0, "S2": 2 }, "right": { "L1": 1 } },
        "straight_leg_raise": {
            "left": { "leg_pain": "no", "angle_deg": 80, "crossed": "unknown" }, "right": { "leg_pain": "yes" }
        },
        "cauda_equina": {
            "saddle_sensation": "no", "bowel_control": { "patient": "yes", "clinician": "no" },
            "urinary_retention": { "clinician": "unknown" }, "post_void_residual_ml": 150
        },
        "odi": [0, 1, 2, 3, 4, 5, null, 0, 1, 2], "work": { "status": "off_pain", "activity": "light" },
        "walking": {
            "minutes": 30, "worse_walking": "yes", "worse_standing": "no", "relief_sitting": "yes",
            "relief_flexion": "unknown", "relief_standing_still": "no"
        },
        "serious": {
            "cancer_history": "no", "fever": "yes", "iv_drug_use": "no", "immunosuppressed": "unknown",
            "recent_infection_or_procedure": "yes", "weight_loss": "no", "night_pain": "yes", "anticoagulant": "no",
            "steroid": "yes", "osteoporosis": "no", "temperature_c": 38
        },
        "trauma": { "occurred": "yes", "date": "2026-01-10", "high_energy": "no", "fracture_suspected": "unknown" }
    })
}

#[tokio::test]
async fn every_field_of_a_submission_is_in_its_event() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "k", &full()).await.id();
    insta::assert_debug_snapshot!("full_submission", house.events::<SubmissionAccepted>().await);
}

#[tokio::test]
async fn an_empty_list_stays_empty_and_what_is_missing_stays_missing() {
    let house = House::open().await;
    let episode = house.episode().await;
    let form =
        json!({ "id": "v1", "assessed_at": "2026-01-20T10:00:00Z", "author": "patient", "pain": { "dermatomes": [] } });
    house.submit(episode, "k", &form).await.id();
    let said = house.events::<SubmissionAccepted>().await.remove(0).submission.expect("a submission");
    let pain = Pain { dermatomes: Some(Words::default()), ..Pain::default() };
    let (id, assessed_at, received_at) = (said.id.clone(), said.assessed_at, said.received_at);
    let author = Author::Patient.into();
    assert_eq!(said, Submission { id, assessed_at, received_at, author, pain: Some(pain), ..Submission::default() });
}

#[tokio::test]
async fn all_faults_are_answered_at_once() {
    let house = House::open().await;
    let episode = house.episode().await;
    let mut body = calm("v1");
    body["pain"]["leg"]["value"] = json!(101);
    body["assessed_at"] = json!("2026-01-21T09:05:01Z");
    body["received_at"] = json!("2026-01-20T10:00:00Z");
    body["supersedes"] = json!("nobody");
    body["colour"] = json!("blue");
    body["trauma"] = json!({ "occurred": "yes", "date": "2026-01-22" });
    insta::assert_json_snapshot!("faulty_submission", house.submit(episode, "k", &body).await.shown());
    assert_eq!(house.subjects().await, ["episode-registered"]);
}

#[tokio::test]
async fn a_submission_without_a_key_is_told_what_to_send() {
    let house = House::open().await;
    let episode = house.episode().await;
    let path = format!("/episodes/{episode}/submissions");
    let answer = house.send(Role::Clinician, Method::POST, &path, &[], calm("v1").to_string()).await;
    insta::assert_json_snapshot!("no_key", answer.shown());
}

#[tokio::test]
async fn a_retry_is_answered_alike_and_changes_nothing() {
    let house = House::open().await;
    let episode = house.episode().await;
    let first = house.submit(episode, "k", &calm("v1")).await;
    let again = house.submit(episode, "k", &calm("v1")).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(house.submit(episode, "other", &calm("v1")).await.text, first.text, "the same content under a new key");
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 1);
}

#[tokio::test]
async fn a_key_or_an_id_stands_for_one_content() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "k", &calm("v1")).await;
    insta::assert_json_snapshot!("key_of_another_body", house.submit(episode, "k", &calm("v2")).await.shown());
    let other = with(calm("v1"), "/pain/leg/value", json!(41));
    insta::assert_json_snapshot!("id_of_another_content", house.submit(episode, "k-2", &other).await.shown());
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 1);
}

#[tokio::test]
async fn the_key_of_a_refused_body_may_be_used_for_the_corrected_one() {
    let house = House::open().await;
    let episode = house.episode().await;
    let faulty = with(calm("v1"), "/author", json!("nobody"));
    assert_eq!(house.submit(episode, "k", &faulty).await.pointers(), ["/author"]);
    assert_eq!(house.submit(episode, "k", &calm("v1")).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_correction_names_what_it_replaces_by_either_id() {
    let house = House::open().await;
    let episode = house.episode().await;
    let first = house.submit(episode, "a", &calm("v1")).await.id();
    house.submit(episode, "b", &with(calm("v2"), "/supersedes", json!("v1"))).await;
    house.submit(episode, "c", &with(calm("v3"), "/supersedes", json!(first))).await;
    let events = house.events::<SubmissionAccepted>().await;
    let replaced: Vec<_> = events.into_iter().filter_map(|event| event.submission?.supersedes).collect();
    assert_eq!(replaced, [first.to_string(), first.to_string()]);
    let other = house.register(&with(crate::harness::registration(), "/episode/id", json!("2"))).await.id();
    let foreign = with(calm("v4"), "/supersedes", json!(first));
    assert_eq!(house.submit(other, "d", &foreign).await.pointers(), ["/supersedes"], "of another episode");
}

#[tokio::test]
async fn a_system_may_say_when_it_received_a_submission() {
    let house = House::open().await;
    let episode = house.episode().await;
    let body = with(calm("v1"), "/received_at", json!("2026-01-20T12:00:00Z"));
    assert_eq!(house.submit(episode, "k", &body).await.pointers(), ["/received_at"]);
    let path = format!("/episodes/{episode}/submissions");
    let key = [("idempotency-key", "k")];
    let answer = house.send(Role::System, Method::POST, &path, &key, body.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let kept = house.events::<SubmissionAccepted>().await.remove(0).submission.expect("a submission").received_at;
    assert_eq!(instant("received_at", kept.as_ref()), Ok("2026-01-20T12:00:00Z".parse().expect("an instant")));
}
