//! What people can tell by: the reference of an alert, who it was handed to, and whether who has it can be paged.

use std::time::Duration;

use axum::http::StatusCode;
use lasegue_contracts::assessment::{Limit, Severity};
use lasegue_platform::auth::Role;
use serde_json::json;

use crate::harness::{Clinic, emergency, flag, flags};

/// The first eight digits of an alert's id, as people read them.
fn reference(id: &str) -> String {
    let digits = id.to_uppercase();
    format!("{}-{}", &digits[..4], &digits[4..8])
}

#[tokio::test]
async fn one_alert_has_one_reference_for_every_contact_step_and_revision() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    let id = clinic.alert().await;
    let mut pages = clinic.pages("a", 1).await;
    clinic.pass(Duration::from_mins(5)).await;
    pages.extend(clinic.pages("lead", 1).await);
    clinic.tell(emergency(2)).await;
    pages.extend(clinic.pages("a", 1).await);
    pages.extend(clinic.pages("lead", 1).await);
    for page in &pages {
        assert_eq!(page.text("reference"), reference(&id), "{}", page.body);
        assert!(page.text("text").contains(&reference(&id)), "{}", page.body);
    }
    let (_, one) = clinic.caller("a", Role::Clinician).get(&format!("/alerts/{id}")).await;
    assert_eq!(one["alert"]["reference"], json!(reference(&id)));
    clinic.close().await;
}

#[tokio::test]
async fn a_page_about_two_alerts_bears_the_reference_of_the_more_severe_and_says_that_there_is_another() {
    let mut clinic = Clinic::open().await;
    let watch = flag("cauda-equina-watch", Severity::Urgent, Limit::SameDay);
    let emergency = flag("cauda-equina-emergency", Severity::Emergency, Limit::Immediate);
    clinic.tell(flags(1, vec![watch, emergency])).await;
    let page = clinic.pages("a", 1).await.remove(0);
    let listed = page.body["alerts"].as_array().expect("a list");
    assert_eq!((listed.len(), &listed[0]["severity"]), (2, &json!("emergency")));
    assert_eq!(page.text("reference"), reference(listed[0]["id"].as_str().expect("an id")));
    assert_eq!(listed[1]["reference"], json!(reference(listed[1]["id"].as_str().expect("an id"))));
    let begins = format!("EMERGENCY {} and 1 more: new.", page.text("reference"));
    assert!(page.text("text").starts_with(&begins), "{}", page.body);
    clinic.close().await;
}

#[tokio::test]
async fn whoever_is_handed_an_alert_is_told_so_and_nobody_hands_it_to_themselves() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let (id, holder) = (clinic.alert().await, clinic.caller("A", Role::Clinician));
    holder.post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
    let path = format!("/alerts/{id}/hand-over");
    let (status, problem) = holder.post(&path, &json!({ "revision": 1, "to": "a" })).await;
    assert_eq!((status, &problem["faults"][0]["pointer"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/to")));
    let (_, one) = holder.get(&format!("/alerts/{id}")).await;
    assert_eq!(one["alert"]["state"], json!("accepted"));
    holder.post(&path, &json!({ "revision": 1, "to": "c" })).await;
    let page = clinic.pages("c", 1).await.remove(0);
    assert_eq!(page.text("reason"), "handed-over");
    assert!(page.text("text").contains(": handed to you."), "{}", page.body);
    clinic.close().await;
}

#[tokio::test]
async fn whoever_accepts_and_is_no_contact_is_told_that_no_page_will_reach_them() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let id = clinic.alert().await;
    for (name, can_be_paged) in [("dr-x", false), ("A", true), ("a", true)] {
        let caller = clinic.caller(name, Role::Clinician);
        let (status, alert) = caller.post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
        assert_eq!((status, &alert["accepted"]["can_be_paged"]), (StatusCode::OK, &json!(can_be_paged)), "{name}");
        let (_, one) = caller.get(&format!("/alerts/{id}")).await;
        let last = one["history"].as_array().and_then(|history| history.last()).expect("an entry");
        assert_eq!((&last["event"]["by"], &last["event"]["can_be_paged"]), (&json!(name), &json!(can_be_paged)));
        caller.post(&format!("/alerts/{id}/hand-over"), &json!({ "revision": 1, "to": "c" })).await;
        clinic.pages("c", 1).await;
    }
    clinic.close().await;
}

#[tokio::test]
async fn whoever_accepted_under_another_spelling_of_a_contacts_name_is_paged_when_that_lapses() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let id = clinic.alert().await;
    clinic.caller("LEAD", Role::Clinician).post(&format!("/alerts/{id}/accept"), &json!({ "revision": 1 })).await;
    clinic.pass(Duration::from_mins(30)).await;
    for contact in ["a", "lead"] {
        assert_eq!(clinic.pages(contact, 1).await[0].text("reason"), "acceptance-lapsed");
    }
    clinic.close().await;
}
