//! What else reaches alerting: refused submissions, missed visits and what could not be read.

use lasegue_contracts::Service;
use lasegue_contracts::intake::{RefusalCorrected, RefusalReason, SubmissionRefused};
use lasegue_contracts::platform::MessageDeadLettered;
use lasegue_contracts::scheduling::VisitOverdue;
use lasegue_platform::wire::timestamp;
use uuid::Uuid;

use crate::harness::{Clinic, EPISODE};

fn refusal() -> SubmissionRefused {
    SubmissionRefused {
        episode_id: EPISODE.to_string(),
        refusal_id: Uuid::from_u128(5).to_string(),
        received_at: Some(timestamp("2026-01-05T12:00:00Z".parse().expect("an instant"))),
        reason: RefusalReason::DangerSign.into(),
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
    clinic.close().await;
}

#[tokio::test]
async fn a_message_that_a_service_set_aside_pages_the_catch_all() {
    let mut clinic = Clinic::open().await;
    let letter = MessageDeadLettered { consumer: "assessment-intake".to_owned(), ..MessageDeadLettered::default() };
    clinic.tell_as(Service::Assessment, letter).await;
    for contact in ["a", "lead", "c"] {
        assert_eq!(clinic.pages(contact, 1).await[0].text("severity"), "operator");
    }
    assert_eq!(clinic.states().await, ["dead-letters:assessment-intake open"]);
    clinic.close().await;
}
