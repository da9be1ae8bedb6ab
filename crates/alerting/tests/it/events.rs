//! What events make alerting do.

use std::time::Duration;

use futures_util::future::join_all;
use lasegue_alerting::ids::{CaseId, Revision};
use lasegue_alerting::store;
use lasegue_contracts::Service;
use lasegue_contracts::assessment::{Limit, RedFlag, RedFlagRaised, Severity};

use crate::harness::{Clinic, EPISODE, emergency, flag, flags};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_red_flag_pages_whoever_is_on_call_without_a_word_about_the_patient() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    let page = clinic.pages("a", 1).await.remove(0);
    assert_eq!((page.text("severity"), page.text("reason")), ("emergency", "opened"));
    assert!(!page.possible_duplicate());
    let body = page.body.to_string();
    for word in ["cauda", "equina", "saddle", &EPISODE.to_string()] {
        assert!(!body.contains(word), "{word} in {body}");
    }
    clinic.close().await;
}

#[tokio::test]
async fn the_same_event_again_and_an_older_one_page_nobody() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(2)).await;
    clinic.pages("a", 1).await;
    clinic.tell(emergency(2)).await;
    clinic.tell(emergency(1)).await;
    clinic.tell(flags(1, vec![])).await;
    assert_eq!(clinic.states().await, ["cauda-equina-emergency open"]);
    clinic.close().await;
}

#[tokio::test]
async fn without_acceptance_the_page_travels_on_and_comes_back() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    let first = clinic.pages("a", 1).await.remove(0);
    clinic.pass(5 * MINUTE).await;
    assert_eq!(clinic.pages("lead", 1).await[0].text("reason"), "escalated");
    clinic.pass(5 * MINUTE).await;
    let again = clinic.pages("a", 1).await.remove(0);
    assert_eq!((again.text("page_id"), again.text("reason")), (first.text("page_id"), "repeated"));
    assert_eq!((first.body["attempt"].as_u64(), again.body["attempt"].as_u64()), (Some(1), Some(2)));
    clinic.pages("lead", 1).await;
    clinic.pages("c", 1).await;
    clinic.close().await;
}

#[tokio::test]
async fn escalation_goes_on_after_a_restart() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let mut clinic = clinic.restart().await;
    clinic.pass(5 * MINUTE).await;
    clinic.pages("lead", 1).await;
    clinic.close().await;
}

#[tokio::test]
async fn several_findings_of_one_revision_are_one_page() {
    let mut clinic = Clinic::open().await;
    let watch = flag("motor-deficit-progressive", Severity::Urgent, Limit::Limit24Hours);
    let severe = flag("cauda-equina-emergency", Severity::Emergency, Limit::Immediate);
    clinic.tell(flags(1, vec![watch, severe])).await;
    let page = clinic.pages("a", 1).await.remove(0);
    assert_eq!(page.body["alerts"].as_array().map(Vec::len), Some(2));
    assert_eq!(page.text("severity"), "emergency");
    clinic.close().await;
}

#[tokio::test]
async fn a_seven_day_finding_pages_when_it_is_overdue() {
    let mut clinic = Clinic::open().await;
    clinic.tell(flags(1, vec![flag("reflex-changed", Severity::Urgent, Limit::Limit7Days)])).await;
    assert_eq!(clinic.states().await, ["reflex-changed listed"]);
    clinic.pass(7 * 24 * 60 * MINUTE).await;
    assert_eq!(clinic.pages("a", 1).await[0].text("reason"), "overdue");
    clinic.close().await;
}

#[tokio::test]
async fn a_red_flag_that_cannot_be_read_pages_everybody() {
    let mut clinic = Clinic::open().await;
    clinic.tell(RedFlagRaised { submission_id: "nonsense".to_owned(), ..emergency(1) }).await;
    for contact in ["a", "lead", "c"] {
        let pages = clinic.pages(contact, 2).await;
        let mut severities: Vec<_> = pages.iter().map(|page| page.text("severity")).collect();
        severities.sort_unstable();
        assert_eq!(severities, ["emergency", "operator"]);
    }
    clinic.close().await;
}

#[tokio::test]
async fn events_of_one_episode_side_by_side_end_in_the_newest_revision() {
    let mut clinic = Clinic::open().await;
    let told = (1..=30).map(|revision| {
        let latched = RedFlag { met_at_visit: false, ..emergency(revision).flags.remove(0) };
        clinic.publish(Service::Assessment, flags(revision, vec![latched]))
    });
    join_all(told).await;
    clinic.settled().await;
    clinic.pages("a", 1).await;
    let revisions = store::shown(clinic.alerting.store().reader(), [CaseId(EPISODE)].into_iter()).await;
    assert_eq!(revisions.expect("readable")[&CaseId(EPISODE)], Revision(30));
    assert_eq!(clinic.states().await, ["cauda-equina-emergency open"]);
    clinic.close().await;
}
