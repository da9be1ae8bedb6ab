//! What else reaches alerting: refused submissions, missed visits and what could not be read.

use lasegue_contracts::Service;
use lasegue_contracts::intake::{RefusalCorrected, RefusalReason, SubmissionRefused};
use lasegue_contracts::platform::{EventsHeldUp, MessageDeadLettered};
use lasegue_contracts::scheduling::VisitOverdue;
use lasegue_platform::auth::Role;
use lasegue_platform::wire::timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Clinic, EPISODE};

fn refusal() -> SubmissionRefused {
    SubmissionRefused {
        episode_id: EPISODE.to_string(),
        refusal_id: Uuid::from_u128(5).to_string(),
        received_at: Some(timestamp("2026-01-05T12:00:00Z".parse().expect("an instant"))),
        reason: RefusalReason::DangerSign.into(),
        sender_id: Uuid::from_u128(6).to_string(),
        sent_to_episode_id: String::new(),
    }
}

#[tokio::test]
async fn a_refused_submission_pages_until_it_is_corrected() {
    let mut clinic = Clinic::open().await;
    clinic.tell_as(Service::Intake, refusal()).await;
    let page = clinic.pages("a", 1).await.remove(0);
    assert_eq!((page.text("severity"), page.text("reason")), ("urgent", "opened"));
    let SubmissionRefused { episode_id, refusal_id, received_at: corrected_at, .. } = refusal();
    clinic.tell_as(Service::Intake, RefusalCorrected { episode_id, refusal_id, corrected_at }).await;
    assert_eq!(clinic.pages("a", 1).await[0].text("reason"), "answered");
    assert_eq!(clinic.states().await, ["unreadable-submission closed"]);
    clinic.close().await;
}

#[tokio::test]
async fn missed_visits_reach_the_coordinator_once() {
    let mut clinic = Clinic::open().await;
    for number in 1..=20 {
        let episode_id = Uuid::from_u128(number).to_string();
        clinic.tell_as(Service::Scheduling, VisitOverdue { episode_id, ..VisitOverdue::default() }).await;
    }
    assert_eq!(clinic.pages("lead", 1).await[0].text("severity"), "notice");
    let coordinator = clinic.caller("lead", Role::Coordinator);
    let notice = coordinator.get("/alerts").await.1["alerts"][0].take();
    let (id, seen) = (notice["id"].as_str().expect("an id"), json!({ "revision": notice["revision"] }));
    let accepted = coordinator.post(&format!("/alerts/{id}/accept"), &seen).await.1;
    assert_eq!(accepted["state"], "accepted");
    assert_eq!(accepted["next_page_at"], Value::Null, "it pages no more by itself");
    clinic.close().await;
}

fn letter(number: u128) -> MessageDeadLettered {
    MessageDeadLettered {
        episode_id: EPISODE.to_string(),
        dead_letter_id: Uuid::from_u128(number).to_string(),
        consumer: "assessment-intake".to_owned(),
        event_type: "lasegue.intake.v1.SubmissionAccepted".to_owned(),
        ..MessageDeadLettered::default()
    }
}

#[tokio::test]
async fn the_operators_alert_names_each_message_by_id_type_and_episode() {
    let mut clinic = Clinic::open().await;
    clinic.tell_as(Service::Assessment, letter(1)).await;
    clinic.tell_as(Service::Assessment, letter(2)).await;
    let shown = clinic.caller("op", Role::Operator).get("/alerts").await.1;
    insta::assert_json_snapshot!("letters_named", shown["alerts"][0]["events"]);
    clinic.tell_as(Service::Assessment, MessageDeadLettered { tries: 13, ..letter(3) }).await;
    assert_eq!(clinic.states().await, ["dead-letters:assessment-intake open", "failing-events:assessment-intake open"]);
    for contact in ["a", "lead", "c"] {
        clinic.pages(contact, 2).await;
    }
    clinic.close().await;
}

#[tokio::test]
async fn a_message_that_a_service_set_aside_pages_the_catch_all() {
    let mut clinic = Clinic::open().await;
    clinic.tell_as(Service::Assessment, letter(1)).await;
    for contact in ["a", "lead", "c"] {
        assert_eq!(clinic.pages(contact, 1).await[0].text("severity"), "operator");
    }
    assert_eq!(clinic.states().await, ["dead-letters:assessment-intake open"]);
    clinic.close().await;
}

#[tokio::test]
async fn an_outage_of_the_bus_pages_the_catch_all_once_and_names_every_service_whose_events_wait() {
    let mut clinic = Clinic::open().await;
    for service in [Service::Intake, Service::Assessment, Service::Scheduling] {
        let held_up = EventsHeldUp { service: service.name().to_owned(), ..EventsHeldUp::default() };
        clinic.tell_as(service, held_up).await;
    }
    for contact in ["a", "lead", "c"] {
        assert_eq!(clinic.pages(contact, 1).await[0].text("severity"), "operator");
    }
    assert_eq!(clinic.states().await, ["events-held-up open"]);
    let shown = clinic.caller("op", Role::Operator).get("/alerts").await.1;
    assert_eq!(shown["alerts"][0]["services"], serde_json::json!(["assessment", "intake", "scheduling"]));
    clinic.close().await;
}

#[tokio::test]
async fn a_database_that_stores_nothing_or_is_damaged_pages_the_catch_all_under_a_code_of_its_own() {
    let mut clinic = Clinic::open().await;
    for event in [
        EventsHeldUp { nothing_stored: true, ..EventsHeldUp::default() },
        EventsHeldUp { damaged: true, ..EventsHeldUp::default() },
    ] {
        clinic.tell_as(Service::Intake, EventsHeldUp { service: "intake".to_owned(), ..event }).await;
    }
    for contact in ["a", "lead", "c"] {
        assert_eq!(clinic.pages(contact, 2).await[0].text("severity"), "operator");
    }
    let mut states = clinic.states().await;
    states.sort_unstable();
    assert_eq!(states, ["database-damaged open", "nothing-stored open"]);
    let shown = clinic.caller("op", Role::Operator).get("/alerts").await.1;
    assert_eq!(shown["alerts"][0]["services"], serde_json::json!(["intake"]));
    clinic.close().await;
}
