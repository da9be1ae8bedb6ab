//! Imports: each record whole or not at all, on the bulk lane, and twice the same as once.

use std::path::Path;

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{EpisodeUpdated, RefusalCorrected, SubmissionAccepted, SubmissionRefused};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};

use crate::harness::{House, calm, record, saddle, with};

/// The golden records, each under the name of its case.
fn golden() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/cases");
    let mut files: Vec<_> = folder.read_dir().expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let case = |file| -> Value { serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON") };
    files.into_iter().map(|file| case(file)["record"].clone()).collect()
}

fn outcome(answer: &Value) -> &str {
    answer["outcome"].as_str().expect("a word")
}

#[tokio::test]
async fn a_record_is_taken_on_the_bulk_lane_with_everything_in_it() {
    let house = House::open().await;
    let mut whole = record(&[calm("v1"), with(calm("v2"), "/supersedes", json!("v1"))]);
    whole["adjudications"] =
        json!([{ "kind": "void", "submission": "v2", "at": "2026-01-20T12:00:00Z", "by": "dr-b", "note": "wrong" }]);
    insta::assert_json_snapshot!("imported", house.import(&[whole]).await);
    let bulk = ["registered", "accepted", "accepted", "recorded"];
    let subjects = house.subjects().await;
    assert_eq!(subjects.len(), bulk.len());
    assert!(subjects.iter().zip(bulk).all(|(subject, end)| subject.starts_with("bulk.") && subject.ends_with(end)));
    let received = house.events::<SubmissionAccepted>().await.remove(0).submission.expect("a submission").received_at;
    assert_eq!(received, None, "an import says itself when something was received");
}

#[tokio::test]
async fn every_golden_record_is_taken_once_and_known_from_then_on() {
    let house = House::open().await;
    let records: Vec<_> = golden().into_iter().map(|record| at_another_time(&record)).collect();
    let mut different = records.iter().map(ToString::to_string).collect::<Vec<_>>();
    different.sort();
    different.dedup();
    let first = house.import(&records).await;
    assert!(first.iter().all(|answer| outcome(answer) != "refused"), "{first:?}");
    let pieces: usize = different.iter().map(|text| pieces(&serde_json::from_str(text).expect("JSON"))).sum();
    assert_eq!(house.outbox().await.len(), pieces);
    let again = house.import(&records).await;
    assert!(again.iter().all(|answer| outcome(answer) == "known"));
    let episodes = |answers: &[Value]| answers.iter().map(|answer| answer["episode"].clone()).collect::<Vec<_>>();
    assert_eq!(episodes(&first), episodes(&again));
    assert_eq!(house.outbox().await.len(), pieces, "nothing is told twice");
}

/// The cases run into the days after the test's; a year earlier all of it is past.
fn at_another_time(record: &Value) -> Value {
    serde_json::from_str(&record.to_string().replace("2026-", "2025-").replace("2025-12-", "2024-12-")).expect("JSON")
}

fn pieces(record: &Value) -> usize {
    1 + ["submissions", "adjudications"].iter().map(|kind| record[kind].as_array().map_or(0, Vec::len)).sum::<usize>()
}

#[tokio::test]
async fn a_refused_record_leaves_nothing_and_stops_no_other() {
    let house = House::open().await;
    let bad = with(record(&[calm("v1"), with(calm("v2"), "/author", json!("nobody"))]), "/contact/phone", json!("1"));
    let other =
        with(record(&[with(calm("v1"), "/assessed_at", json!("2027-01-01T00:00:00Z"))]), "/episode/id", json!("2"));
    let good = with(record(&[calm("v1")]), "/episode/id", json!("3"));
    let lines = format!("{bad}\n\n{{\"format\"\n[]\n{other}\n{good}\n");
    let answers = house.import_raw(lines).await;
    assert_eq!(
        answers.iter().map(outcome).collect::<Vec<_>>(),
        ["refused", "refused", "refused", "refused", "accepted"]
    );
    insta::assert_json_snapshot!("refused_records", &answers[..4]);
    assert_eq!(house.subjects().await, ["bulk.episode-registered", "bulk.submission-accepted"]);
}

#[tokio::test]
async fn a_record_whose_submission_has_another_content_is_refused_whole() {
    let house = House::open().await;
    house.import(&[record(&[calm("v1")])]).await;
    let changed = record(&[calm("v0"), with(calm("v1"), "/pain/leg/value", json!(41))]);
    insta::assert_json_snapshot!("other_content", house.import(&[changed]).await);
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 1);
}

#[tokio::test]
async fn a_record_that_grew_tells_what_is_new() {
    let house = House::open().await;
    house.import(&[record(&[calm("v1")])]).await;
    let grown = with(record(&[calm("v1"), calm("v2")]), "/episode/pregnant", json!("no"));
    let answer = house.import(&[grown]).await.remove(0);
    assert_eq!((outcome(&answer), answer["submissions"].as_array().map(Vec::len)), ("accepted", Some(2)));
    assert_eq!(house.events::<EpisodeUpdated>().await[0].version, 2);
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 2);
}

#[tokio::test]
async fn the_same_import_again_does_not_undo_what_people_changed_since() {
    let house = House::open().await;
    let known = record(&[calm("v1")]);
    let id = house.import(std::slice::from_ref(&known)).await[0]["episode"].as_str().expect("an id").to_owned();
    let path = format!("/episodes/{id}");
    let change = json!({ "episode": { "pregnant": "yes" } }).to_string();
    house.send(Role::Coordinator, Method::PATCH, &path, &[], change).await;
    assert_eq!(outcome(&house.import(&[known]).await[0]), "known");
    assert_eq!(house.get(&path).await.json()["episode"]["pregnant"], "yes");
}

#[tokio::test]
async fn an_imported_record_finds_the_episode_that_was_registered() {
    let house = House::open().await;
    let episode = house.episode().await;
    house.submit(episode, "k", &calm("v1")).await;
    let answer = house.import(&[record(&[calm("v1"), calm("v2")])]).await.remove(0);
    assert_eq!((outcome(&answer), &answer["episode"]), ("accepted", &json!(episode)));
    assert_eq!(house.events::<SubmissionAccepted>().await.len(), 2, "what was submitted live is known");
}

#[tokio::test]
async fn a_recent_danger_sign_in_a_refused_record_is_told_live_once_until_corrected() {
    let house = House::open().await;
    let old = with(saddle("old"), "/assessed_at", json!("2026-01-10T09:00:00Z"));
    let mut refused = record(&[old.clone(), saddle("recent")]);
    refused["colour"] = json!("blue");
    for _ in 0..2 {
        assert_eq!(outcome(&house.import(std::slice::from_ref(&refused)).await[0]), "refused");
    }
    assert_eq!(house.subjects().await, ["submission-refused"], "on the live lane, once");
    let told = house.events::<SubmissionRefused>().await.remove(0);
    let taken = house.import(&[record(&[old, saddle("recent")])]).await.remove(0);
    assert_eq!(taken["episode"], told.episode_id, "the episode keeps the id that was told");
    let corrected = house.events::<RefusalCorrected>().await.remove(0);
    assert_eq!((corrected.episode_id, corrected.refusal_id), (told.episode_id, told.refusal_id));
}

#[tokio::test]
async fn an_import_request_has_a_limit() {
    let house = House::open().await;
    let lines = "{}\n".repeat(1_001);
    let answer = house.send(Role::System, Method::POST, "/imports", &[], lines).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!("too_many_records", answer.shown());
}
