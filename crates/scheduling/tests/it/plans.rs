//! From results to plans: the highest revision counts, and a plan is told when it changes.

use axum::http::StatusCode;
use lasegue_contracts::assessment::{AssessmentCompleted, NextVisit};
use lasegue_contracts::event::Lane;
use lasegue_platform::auth::Role;
use serde_json::json;

use crate::desk::{Desk, episode, result};

const SIX_WEEK: Option<(&str, &str)> = Some(("2026-02-12", "2026-02-19"));

#[tokio::test]
async fn a_plan_is_told_when_it_changes_and_not_when_it_is_confirmed() {
    let (desk, episode) = (Desk::open().await, episode(1));
    for (revision, days) in [(2, SIX_WEEK), (3, SIX_WEEK), (4, Some(("2026-02-13", "2026-02-19")))] {
        desk.tell(Lane::Live, result(episode, revision, "six-week", days)).await;
    }
    let told = desk.told(episode);
    assert_eq!(told, ["2 planned six-week 2026-02-12/2026-02-19", "4 planned six-week 2026-02-13/2026-02-19"]);
    let schedule = desk.schedule(episode).await;
    assert_eq!((&schedule["revision"], &schedule["state"]), (&json!(4), &json!("planned")));
    let history = schedule["history"].as_array().expect("a list");
    let revisions: Vec<_> = history.iter().map(|plan| &plan["revision"]).collect();
    assert_eq!(revisions, [&json!(4), &json!(2)]);
}

#[tokio::test]
async fn results_in_any_order_and_again_end_in_the_plan_of_the_highest_revision() {
    let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    let desk = Desk::open().await;
    for (number, order) in (1..).zip(orders) {
        let episode = episode(number);
        for revision in order {
            let lane = if revision == 2 { Lane::Bulk } else { Lane::Live };
            let latest = format!("2026-03-0{revision}");
            desk.tell(lane, result(episode, revision, "initial", Some(("2026-03-01", &latest)))).await;
        }
        let before = (desk.schedule(episode).await, desk.told(episode));
        assert_eq!((&before.0["revision"], &before.0["latest"]), (&json!(3), &json!("2026-03-03")), "{order:?}");
        desk.redeliver().await;
        assert_eq!((desk.schedule(episode).await, desk.told(episode)), before, "{order:?}");
    }
}

#[tokio::test]
async fn a_confirmed_plan_keeps_the_time_at_which_it_was_made() {
    let (desk, episode) = (Desk::open().await, episode(1));
    desk.tell(Lane::Live, result(episode, 1, "six-week", SIX_WEEK)).await;
    let made = desk.schedule(episode).await["planned_at"].take();
    desk.pass(std::time::Duration::from_mins(1)).await;
    desk.tell(Lane::Live, result(episode, 2, "six-week", SIX_WEEK)).await;
    assert_eq!(desk.schedule(episode).await["planned_at"], made);
}

#[tokio::test]
async fn what_cannot_be_a_plan_is_set_aside_with_its_reason() {
    let good = || result(episode(1), 1, "six-week", SIX_WEEK);
    let next = |kind: &str, earliest: Option<&str>, latest: Option<&str>| {
        let (earliest, latest) = (earliest.map(str::to_owned), latest.map(str::to_owned));
        AssessmentCompleted { next_visit: Some(NextVisit { kind: kind.to_owned(), earliest, latest }), ..good() }
    };
    for (event, field) in [
        (AssessmentCompleted { time_zone: "Mars/Olympus".to_owned(), ..good() }, "time_zone"),
        (AssessmentCompleted { assessed_at: None, ..good() }, "assessed_at"),
        (AssessmentCompleted { next_visit: None, ..good() }, "next_visit"),
        (next("weekly", None, None), "next_visit.kind"),
        (next("six-week", Some("2026-02-30"), Some("2026-03-02")), "next_visit.earliest"),
        (next("six-week", Some("2026-02-20"), None), "next_visit.latest"),
        (next("six-week", None, Some("2026-02-20")), "next_visit.earliest"),
        (next("six-week", Some("2026-02-20"), Some("2026-02-19")), "next_visit.latest"),
        (next("six-week", None, None), "next_visit"),
        (next("hold", Some("2026-02-20"), Some("2026-02-20")), "next_visit"),
    ] {
        let desk = Desk::open().await;
        desk.tell(Lane::Live, event).await;
        let reason = format!("the event cannot be understood: the event's field `{field}` is missing or malformed");
        assert_eq!(desk.set_aside().await, [reason]);
    }
}

#[tokio::test]
async fn a_schedule_is_for_those_who_care_for_the_patient_and_those_who_check() {
    let desk = Desk::open().await;
    desk.tell(Lane::Live, result(episode(1), 1, "six-week", SIX_WEEK)).await;
    for path in [format!("/episodes/{}/schedule", episode(1)), "/worklist".to_owned()] {
        for role in [Role::Clinician, Role::Coordinator, Role::Auditor, Role::System] {
            assert_eq!(desk.get_as(role, &path).await.0, StatusCode::OK, "{role:?}");
        }
        assert_eq!(desk.get_as(Role::Operator, &path).await.0, StatusCode::FORBIDDEN);
    }
    let (status, problem) = desk.get(&format!("/episodes/{}/schedule", episode(2))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(problem["detail"].as_str().expect("a detail").contains("ask again once it was assessed"));
}
