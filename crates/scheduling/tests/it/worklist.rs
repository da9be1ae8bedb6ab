//! The worklist: most urgent first, filtered, in pages that neither repeat nor leave out.

use axum::http::StatusCode;
use lasegue_contracts::assessment::{AssessmentCompleted, Severity, Status};
use lasegue_contracts::event::Lane;
use serde_json::{Value, json};

use crate::desk::{Desk, episode, finding, result};

/// Ten episodes, each after the first less pressing than the one before.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    let with = |event: AssessmentCompleted, severity| AssessmentCompleted {
        findings: vec![
            finding("an-info", Severity::Info, Status::New),
            finding("a-signed-one", Severity::Emergency, Status::Persisting),
            finding("a-flag", severity, Status::Open),
        ],
        ..event
    };
    let late = Some(("2026-01-01", "2026-01-31"));
    let open = Some(("2026-02-01", "2026-02-14"));
    let events = [
        with(result(episode(1), 1, "hold", None), Severity::Emergency),
        with(result(episode(2), 1, "urgent", Some(("2026-01-01", "2026-01-02"))), Severity::Urgent),
        with(result(episode(3), 1, "urgent", Some(("2026-02-01", "2026-02-02"))), Severity::Urgent),
        result(episode(4), 1, "initial", Some(("2026-01-01", "2026-01-30"))),
        result(episode(5), 1, "six-week", late),
        result(episode(6), 1, "six-week", open),
        result(episode(7), 1, "initial", Some(("2026-02-01", "2026-02-15"))),
        result(episode(8), 1, "six-week", Some(("2026-03-01", "2026-03-08"))),
        result(episode(9), 1, "three-monthly", Some(("2026-03-01", "2026-03-09"))),
        result(episode(10), 1, "none", None),
    ];
    for event in events.into_iter().rev() {
        desk.tell(Lane::Bulk, event).await;
    }
    desk
}

/// The numbers of the episodes on all pages of a list.
async fn listed(desk: &Desk, query: &str) -> Vec<u128> {
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = desk.get(&format!("/worklist?{query}{after}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let entries = page["entries"].as_array().expect("a list");
        let number = |entry: &Value| {
            let id: uuid::Uuid = entry["episode"].as_str().expect("an id").parse().expect("a UUID");
            id.as_u128()
        };
        seen.extend(entries.iter().map(number));
        let Some(next) = page["next"].as_str() else { return seen };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn the_most_pressing_stands_first_and_every_page_goes_on_where_the_last_ended() {
    let desk = desk().await;
    for limit in [1, 2, 3, 5, 9, 10, 11] {
        assert_eq!(listed(&desk, &format!("limit={limit}")).await, (1..=10).collect::<Vec<_>>(), "{limit}");
    }
}

#[tokio::test]
async fn a_filter_leaves_the_order_and_takes_what_it_names() {
    let desk = desk().await;
    for (query, numbers) in [
        ("severity=emergency", &[1][..]),
        ("severity=urgent", &[2, 3]),
        ("state=overdue", &[2, 4, 5]),
        ("state=due", &[3, 6, 7]),
        ("state=planned", &[8, 9]),
        ("state=unplanned", &[1, 10]),
        ("kind=six-week", &[5, 6, 8]),
        ("kind=initial&state=due", &[7]),
        ("kind=urgent&state=overdue&severity=urgent", &[2]),
        ("state=due&severity=emergency", &[]),
    ] {
        for limit in [1, 50] {
            assert_eq!(listed(&desk, &format!("{query}&limit={limit}")).await, numbers, "{query}");
        }
    }
}

#[tokio::test]
async fn an_entry_says_what_is_needed_and_nothing_about_the_person() {
    let desk = desk().await;
    let (_, page) = desk.get("/worklist?limit=1").await;
    let mut entry = page["entries"][0].clone();
    entry["planned_at"].take();
    let expected = json!({
        "episode": episode(1), "revision": 1, "kind": "hold", "earliest": null, "latest": null,
        "time_zone": "Europe/London", "state": "unplanned", "severity": "emergency",
        "needs": [{ "code": "a-flag", "side": "left", "severity": "emergency" }],
        "assessed_on": "2026-02-01", "planned_at": null,
    });
    assert_eq!(entry, expected);
}

#[tokio::test]
async fn a_visit_that_falls_due_moves_up() {
    let desk = desk().await;
    desk.pass(std::time::Duration::from_hours(24 * 28)).await;
    assert_eq!(listed(&desk, "state=due").await, [8, 9]);
    assert_eq!(listed(&desk, "").await, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(listed(&desk, "state=overdue").await, [2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_word_that_names_nothing_is_refused_with_those_that_do() {
    let desk = Desk::open().await;
    for (query, allowed) in [
        ("state=late", "unplanned, planned, due, overdue"),
        ("kind=weekly", "hold, urgent, none"),
        ("severity=routine", "emergency, urgent"),
        ("after=3", "the `next` of the page before"),
        ("colour=blue", "colour"),
    ] {
        let (status, problem) = desk.get(&format!("/worklist?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert!(problem["detail"].as_str().expect("a detail").contains(allowed), "{problem}");
    }
}
