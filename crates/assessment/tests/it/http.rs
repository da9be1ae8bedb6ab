//! Reading results: who may, and which.

use axum::http::StatusCode;
use lasegue_contracts::event::Lane;
use lasegue_platform::auth::Role;
use lasegue_protocol::record::SubmissionId;
use lasegue_protocol::{Protocol, evaluate};
use serde_json::Value;
use uuid::Uuid;

use crate::records::{case, pieces, submission_id, typed};
use crate::ward::Ward;

const EPISODE: Uuid = Uuid::from_u128(3);

async fn told(record: &Value) -> Ward {
    let ward = Ward::open().await;
    ward.tell(EPISODE, Lane::Live, record).await;
    ward
}

#[tokio::test]
async fn results_are_for_those_who_care_for_the_patient_and_those_who_check() {
    let ward = told(&case("05-motor-drop-one")).await;
    for (role, status) in [
        (Role::Clinician, StatusCode::OK),
        (Role::Coordinator, StatusCode::OK),
        (Role::Auditor, StatusCode::OK),
        (Role::System, StatusCode::OK),
        (Role::Operator, StatusCode::FORBIDDEN),
        (Role::ProtocolOwner, StatusCode::FORBIDDEN),
    ] {
        assert_eq!(ward.get_as(role, EPISODE, "").await.0, status, "{role:?}");
    }
}

#[tokio::test]
async fn a_result_as_of_an_earlier_visit_is_that_of_the_record_until_then() {
    let record = case("06b-worse-after-disposition");
    let ward = told(&record).await;
    let earlier = record["submissions"][0]["id"].as_str().expect("an id");
    let (status, mut result) = ward.get(EPISODE, &format!("?visit={earlier}")).await;
    assert_eq!((status, &result["revision"]), (StatusCode::OK, &ward.get(EPISODE, "").await.1["revision"]));
    result.as_object_mut().expect("an object").remove("revision");
    let visit = SubmissionId(earlier.to_owned());
    let expected = evaluate(Protocol::embedded(), &typed(&record), Some(&visit)).expect("it counts");
    assert_eq!(result, serde_json::to_value(expected).expect("JSON"));
}

#[tokio::test]
async fn the_history_holds_the_result_of_every_revision_newest_first_in_pages() {
    let record = case("06b-worse-after-disposition");
    let ward = told(&record).await;
    let last = pieces(&record).len();
    let (mut seen, mut query) = (Vec::new(), "?history=true&limit=2".to_owned());
    loop {
        let (status, page) = ward.get(EPISODE, &query).await;
        assert_eq!(status, StatusCode::OK);
        let results = page["results"].as_array().expect("a list");
        assert!((1..=2).contains(&results.len()));
        seen.extend(results.iter().map(|result| result["revision"].as_u64().expect("a number")));
        let Some(before) = page["next_before"].as_i64() else { break };
        query = format!("?history=true&limit=2&before={before}");
    }
    // The registration alone gives no result.
    assert_eq!(seen.len(), last - 1);
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
}

#[tokio::test]
async fn what_there_is_not_and_what_makes_no_sense_is_a_problem_that_says_what_to_do() {
    let ward = told(&case("05-motor-drop-one")).await;
    let nobody = Uuid::from_u128(4);
    let unknown = submission_id("nothing");
    for (episode, query, status, detail) in [
        (nobody, String::new(), StatusCode::NOT_FOUND, "ask again once a submission was accepted"),
        (EPISODE, format!("?visit={unknown}"), StatusCode::NOT_FOUND, "name one that is neither replaced nor voided"),
        (EPISODE, "?visit=first".to_owned(), StatusCode::BAD_REQUEST, "visit"),
        (EPISODE, "?before=3".to_owned(), StatusCode::BAD_REQUEST, "history=true"),
        (EPISODE, "?colour=blue".to_owned(), StatusCode::BAD_REQUEST, "colour"),
    ] {
        let (found, problem) = ward.get(episode, &query).await;
        assert_eq!(found, status, "{query}");
        assert!(problem["detail"].as_str().unwrap_or_default().contains(detail), "{problem}");
    }
}
