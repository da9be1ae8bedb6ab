//! Who did what to a patient's record, with what it was before.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use lasegue_contracts::Service;
use lasegue_platform::audit::{Book, Filter, Row};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};

use crate::harness::{House, calm, record, registration, with};

async fn rows(house: &House) -> Vec<Row> {
    let book = Book::open(Service::Intake, &house.location()).await.expect("it can be read");
    book.list(&Filter::default(), 1_000).await.expect("it can be read")
}

fn told(row: &Row) -> String {
    let (status, reason) = (row.status.unwrap_or_default(), row.reason.as_deref().unwrap_or_default());
    let subject = row.subject.as_deref().unwrap_or_default();
    format!("{subject} {} {} {status}{reason}", row.method, row.route.trim_start_matches("/api/v1"))
}

#[tokio::test]
async fn a_birth_date_that_is_written_over_is_kept_with_who_did_it_in_the_same_unit() {
    let house = House::open().await;
    let id = house.register(&registration()).await.id();
    let before = house.get(&format!("/episodes/{id}")).await.json()["patient"]["birth_date"].clone();
    let patch = json!({ "patient": { "birth_date": "1971-03-04" } }).to_string();
    let address = format!("/episodes/{id}");
    let answer = house.send_as("mallory", Role::Coordinator, Method::PATCH, &address, &[], patch.clone()).await;
    assert_eq!(answer.status, StatusCode::OK);
    // The same again changes nothing, and is an access all the same.
    house.send_as("mallory", Role::Coordinator, Method::PATCH, &address, &[], patch).await;
    let rows = rows(&house).await;
    let expected = [
        "dr-a POST /episodes 201",
        "dr-a GET /episodes/{id} 200",
        "mallory PATCH /episodes/{id} 200",
        "mallory PATCH /episodes/{id} 200",
    ];
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(rows.iter().all(|row| row.object == id.to_string()));
    let change: Value = serde_json::from_str(rows[2].change.as_deref().expect("it changed")).expect("JSON");
    assert_eq!(change, json!({ "/patient/birth_date": { "old": before, "new": "1971-03-04" } }));
    assert_eq!(rows[3].change, None);
}

#[tokio::test]
async fn a_change_that_loses_its_race_leaves_no_old_and_new_value() {
    let house = House::open().await;
    let id = house.episode().await;
    let patch = json!({ "patient": { "birth_date": "1971-03-04" } }).to_string();
    let stale = [("if-match", "\"7\"")];
    let address = format!("/episodes/{id}");
    let answer = house.send(Role::Coordinator, Method::PATCH, &address, &stale, patch).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    let rows = rows(&house).await;
    assert_eq!(rows.last().map(told).as_deref(), Some("dr-a PATCH /episodes/{id} 412"));
    assert!(rows.iter().all(|row| row.change.is_none()));
}

#[tokio::test]
async fn submissions_signatures_and_refusals_say_whose_they_were() {
    let house = House::open().await;
    let id = house.episode().await;
    house.submit_as("dr-b", id, "k", &calm("v1")).await;
    house.submit_as("dr-b", id, "k", &calm("v1")).await;
    house.submit_as("dr-c", id, "l", &json!({ "nonsense": true })).await;
    let signed =
        json!({ "kind": "longstanding", "item": "bowel_control", "at": "2026-01-21T08:00:00Z", "note": "since birth" });
    house.adjudicate(id, "a", &signed).await;
    let told: Vec<_> = rows(&house).await.iter().skip(1).map(told).collect();
    let submission = "POST /episodes/{id}/submissions";
    assert_eq!(told[..2], [format!("dr-b {submission} 202"), format!("dr-b {submission} 202")]);
    assert_eq!(told[2], format!("dr-c {submission} 422"));
    assert!(told[3].starts_with("dr-a POST /episodes/{id}/adjudications"), "{}", told[3]);
    assert_eq!(told.len(), 4);
}

#[tokio::test]
async fn an_import_says_which_episodes_it_made_and_what_it_wrote_over() {
    let house = House::open().await;
    let first = record(&[]);
    let second = with(first.clone(), "/patient/birth_date", json!("1971-03-04"));
    house.import(std::slice::from_ref(&first)).await;
    house.import(&[second]).await;
    let rows = rows(&house).await;
    let kinds: Vec<_> = rows.iter().map(|row| row.reason.as_deref().unwrap_or("whole")).collect();
    assert_eq!(kinds, ["part", "whole", "part", "whole"]);
    assert_eq!(rows[0].object, rows[2].object);
    let change = rows[2].change.as_deref().expect("it was written over");
    assert!(change.contains("/patient/birth_date") && change.contains("1971-03-04"), "{change}");
}

#[tokio::test]
async fn a_record_is_read_also_while_nothing_can_be_written() {
    let house = House::open().await;
    let id = house.episode().await;
    house.refuse_writes().await;
    let read = house.send(Role::Clinician, Method::GET, &format!("/episodes/{id}"), &[], Body::empty()).await;
    assert_eq!(read.status, StatusCode::OK);
}
