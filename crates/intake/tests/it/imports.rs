//! Imports: each record whole or not at all, on the bulk lane, and twice the same as once.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::{Method, StatusCode};
use lasegue_contracts::intake::{RecordImported, RefusalCorrected, SubmissionRefused};
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
    assert_eq!(house.subjects().await, ["bulk.record-imported"]);
    let told = house.events::<RecordImported>().await.remove(0);
    assert_eq!((told.version, told.submissions.len(), told.adjudications.len()), (1, 2, 1));
    assert_eq!(told.submissions[1].supersedes.as_ref(), Some(&told.submissions[0].id));
    let received = told.submissions[0].received_at;
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
    let told = house.events::<RecordImported>().await;
    assert_eq!((told.len(), house.outbox().await.len()), (different.len(), different.len()), "one event each");
    let told = told.iter().map(|event| 1 + event.submissions.len() + event.adjudications.len());
    assert_eq!(told.sum::<usize>(), pieces, "all of it is told");
    let again = house.import(&records).await;
    assert!(again.iter().all(|answer| outcome(answer) == "known"));
    let episodes = |answers: &[Value]| answers.iter().map(|answer| answer["episode"].clone()).collect::<Vec<_>>();
    assert_eq!(episodes(&first), episodes(&again));
    assert_eq!(house.outbox().await.len(), different.len(), "nothing is told twice");
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
    assert_eq!(house.subjects().await, ["bulk.record-imported"]);
}

#[tokio::test]
async fn a_record_whose_submission_has_another_content_is_refused_whole() {
    let house = House::open().await;
    house.import(&[record(&[calm("v1")])]).await;
    let changed = record(&[calm("v0"), with(calm("v1"), "/pain/leg/value", json!(41))]);
    insta::assert_json_snapshot!("other_content", house.import(&[changed]).await);
    assert_eq!(house.events::<RecordImported>().await.len(), 1);
}

#[tokio::test]
async fn a_record_that_grew_tells_what_is_new() {
    let house = House::open().await;
    house.import(&[record(&[calm("v1")])]).await;
    let grown = with(record(&[calm("v1"), calm("v2")]), "/episode/pregnant", json!("no"));
    let answer = house.import(&[grown]).await.remove(0);
    assert_eq!((outcome(&answer), answer["submissions"].as_array().map(Vec::len)), ("accepted", Some(2)));
    let told = house.events::<RecordImported>().await.remove(1);
    assert!(told.version > 1 && told.submissions.len() == 1, "only what is new: {told:?}");
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
    assert_eq!(house.events::<RecordImported>().await[0].submissions.len(), 1, "what was submitted live is known");
}

#[tokio::test]
async fn a_recent_danger_sign_in_a_refused_record_is_told_live_until_corrected() {
    let house = House::open().await;
    let old = with(saddle("old"), "/assessed_at", json!("2026-01-10T09:00:00Z"));
    let mut refused = record(&[old.clone(), saddle("recent")]);
    refused["colour"] = json!("blue");
    for _ in 0..2 {
        assert_eq!(outcome(&house.import(std::slice::from_ref(&refused)).await[0]), "refused");
    }
    assert_eq!(house.subjects().await, ["submission-refused"; 2], "on the live lane");
    let told = house.events::<SubmissionRefused>().await;
    assert_eq!(told[0].refusal_id, told[1].refusal_id, "as one refusal");
    let told = told[0].clone();
    let taken = house.import(&[record(&[old, saddle("recent")])]).await.remove(0);
    assert_eq!(taken["episode"], told.episode_id, "the episode keeps the id that was told");
    let corrected = house.events::<RefusalCorrected>().await.remove(0);
    assert_eq!((corrected.episode_id, corrected.refusal_id), (told.episode_id, told.refusal_id));
}

#[tokio::test]
async fn a_recent_danger_sign_hides_behind_no_older_date_in_a_refused_record() {
    let (old, today) = ("2025-12-01T09:00:00Z", saddle("v1"));
    let text = json!([today]).to_string();
    let twice = with(with(today.clone(), "/assessed_at", json!(old)), "/Assessed_At", today["assessed_at"].clone());
    for hiding in [
        json!({ "assessed_at": old, "submissions": [today] }),
        json!({ "submissions": [{ "assessed_at": old, "follow_ups": [today] }] }),
        json!({ "submissions": [{ "assessed_at": old, "export": text }] }),
        json!({ "submissions": [twice] }),
    ] {
        let house = House::open().await;
        assert_eq!(outcome(&house.import(std::slice::from_ref(&hiding)).await[0]), "refused");
        assert_eq!(house.subjects().await, ["submission-refused"], "{hiding}");
    }
}

#[tokio::test]
async fn a_record_of_very_many_visits_is_told_in_events_of_bounded_size() {
    let house = House::open().await;
    let strength = json!({ "left": 5, "right": 5 });
    let motor = ["hip_flexion", "knee_extension", "ankle_dorsiflexion", "great_toe_extension"];
    let motor: Value = motor.into_iter().map(|movement| (movement.to_owned(), strength.clone())).collect();
    let visit = |number| with(calm(&format!("v{number}")), "/motor", motor.clone());
    let visits: Vec<_> = (0..2_000).map(visit).collect();
    assert_eq!(outcome(&house.import(&[record(&visits)]).await[0]), "accepted");
    let sizes: Vec<_> = house.outbox().await.iter().map(|row| row.payload.len()).collect();
    assert!((2..10).contains(&sizes.len()), "{sizes:?}");
    assert!(sizes.iter().all(|bytes| *bytes <= (256 << 10) + 1_024), "{sizes:?}");
    let told = house.events::<RecordImported>().await;
    let ids: BTreeSet<_> = told.iter().flat_map(|event| &event.submissions).map(|visit| visit.id.clone()).collect();
    assert_eq!(ids.len(), visits.len());
    assert_eq!(told.iter().filter(|event| event.version > 0).count(), 1, "the blocks are told once");
}

#[tokio::test]
async fn an_import_request_has_a_limit() {
    let house = House::open().await;
    let lines = "{}\n".repeat(1_001);
    let answer = house.send(Role::System, Method::POST, "/imports", &[], lines).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!("too_many_records", answer.shown());
}
