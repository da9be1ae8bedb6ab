//! Whole records at once, on the bulk lane.

use axum::http::{Method, StatusCode};
use lasegue_platform::auth::Role;
use serde_json::{Value, json};

use crate::harness::{House, record, types};

async fn import(house: &House, records: &[Value]) -> Vec<Value> {
    let lines: String = records.iter().map(|record| record.to_string() + "\n").collect();
    let answer = house.call(Role::System, Method::POST, "/imports", "", lines.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[tokio::test]
async fn a_record_comes_in_whole_and_on_the_bulk_lane() {
    let house = House::new().await;
    let outcomes = import(&house, &[record(1, "2026-01-10T09:00:00Z")]).await;
    assert_eq!((&outcomes[0]["outcome"], &outcomes[0]["submissions"]), (&json!("accepted"), &json!(1)));
    assert_eq!(types(&house.bulk().await), ["EpisodeRegistered", "SubmissionAccepted"]);
    assert!(house.live().await.is_empty());
}

#[tokio::test]
async fn the_same_import_again_changes_nothing() {
    let house = House::new().await;
    let records: Vec<_> = (1..=5).map(|number| record(number, "2026-01-10T09:00:00Z")).collect();
    let first = import(&house, &records).await;
    house.bulk().await;
    let second = import(&house, &records).await;
    assert!(second.iter().all(|outcome| outcome["outcome"] == "known"));
    assert!(first.iter().zip(&second).all(|(first, second)| first["episode"] == second["episode"]));
    assert!(house.bulk().await.is_empty());
}

#[tokio::test]
async fn a_later_import_adds_what_is_new() {
    let house = House::new().await;
    let mut grown = record(1, "2026-01-10T09:00:00Z");
    import(&house, std::slice::from_ref(&grown)).await;
    house.bulk().await;
    let mut second = grown["submissions"][0].clone();
    second["id"] = json!("v2");
    second["assessed_at"] = json!("2026-01-12T09:00:00Z");
    grown["submissions"].as_array_mut().expect("a list").push(second);
    grown["episode"]["pregnant"] = json!("no");
    let outcomes = import(&house, &[grown]).await;
    assert_eq!(outcomes[0]["submissions"], 1);
    assert_eq!(types(&house.bulk().await), ["EpisodeUpdated", "SubmissionAccepted"]);
}

#[tokio::test]
async fn a_refused_record_names_its_faults_and_stops_no_other() {
    let house = House::new().await;
    let mut faulty = record(1, "2026-01-10T09:00:00Z");
    faulty["submissions"][0]["pain"]["leg"]["value"] = json!(-1);
    faulty["contact"]["email"] = json!("nobody");
    let outcomes = import(&house, &[faulty, json!("no record"), record(2, "2026-01-10T09:00:00Z")]).await;
    let states: Vec<_> = outcomes.iter().map(|outcome| outcome["outcome"].as_str()).collect();
    assert_eq!(states, [Some("refused"), Some("refused"), Some("accepted")]);
    let pointers: Vec<_> =
        outcomes[0]["faults"].as_array().expect("a list").iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/contact/email", "/submissions/0/pain/leg/value"]);
    assert_eq!(house.bulk().await.len(), 2);
}

#[tokio::test]
async fn only_a_recent_danger_sign_in_a_refused_record_alarms() {
    let house = House::new().await;
    for (number, assessed_at, alarms) in [(1, "2026-01-20T09:00:00Z", 1), (2, "2026-01-10T09:00:00Z", 0)] {
        let mut faulty = record(number, assessed_at);
        faulty["submissions"][0]["cauda_equina"]["bowel_control"] = json!("yes");
        faulty["submissions"][0]["pain"]["leg"]["value"] = json!(-1);
        import(&house, &[faulty]).await;
        assert_eq!(house.refusals().await.len(), alarms, "{assessed_at}");
    }
}

#[tokio::test]
async fn too_many_records_at_once_are_refused_whole() {
    let house = House::new().await;
    let lines = "{}\n".repeat(1_001);
    let answer = house.call(Role::System, Method::POST, "/imports", "", lines.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("send at most 1000 at once"));
}
