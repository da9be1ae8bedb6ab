//! Due and overdue: at the patient's own midnight, once, and also after the process was away.

use std::time::Duration;

use lasegue_contracts::event::Lane;
use serde_json::json;

use crate::desk::{Desk, episode, result};

const DAY: Duration = Duration::from_hours(24);
const PLANNED: &str = "1 planned six-week 2026-02-12/2026-02-19";
const DUE: &str = "1 due six-week 2026-02-12T00:00:00Z";
const OVERDUE: &str = "1 overdue six-week 2026-02-20T00:00:00Z";

async fn planned(lane: Lane) -> Desk {
    let desk = Desk::open().await;
    desk.tell(lane, result(episode(1), 1, "six-week", Some(("2026-02-12", "2026-02-19")))).await;
    desk
}

async fn state(desk: &Desk) -> serde_json::Value {
    desk.schedule(episode(1)).await["state"].take()
}

#[tokio::test]
async fn a_visit_becomes_due_and_overdue_at_local_midnight_and_each_is_told_once() {
    let desk = planned(Lane::Bulk).await;
    // From noon on the first of February to the last second before the window opens, and so on.
    let (to_the_last_second, second) = (Duration::from_secs(24 * 3_600 - 1), Duration::from_secs(1));
    desk.pass(DAY * 9 + Duration::from_hours(12) + to_the_last_second).await;
    assert_eq!((state(&desk).await, desk.told(episode(1))), (json!("planned"), vec![PLANNED.to_owned()]));
    desk.pass(second).await;
    assert_eq!((state(&desk).await, desk.told(episode(1)).len()), (json!("due"), 2));
    desk.pass(DAY * 7 + to_the_last_second).await;
    assert_eq!((state(&desk).await, desk.told(episode(1)).len()), (json!("due"), 2));
    desk.pass(second).await;
    assert_eq!(state(&desk).await, json!("overdue"));
    desk.pass(DAY * 365).await;
    assert_eq!(desk.told(episode(1)), [PLANNED, DUE, OVERDUE]);
}

#[tokio::test]
async fn the_midnight_is_that_of_the_patient_s_time_zone() {
    let desk = Desk::open().await;
    let mut event = result(episode(1), 1, "six-week", Some(("2026-03-07", "2026-03-08")));
    event.time_zone = "America/New_York".to_owned();
    desk.tell(Lane::Live, event).await;
    desk.pass(DAY * 60).await;
    // New York put its clocks forward in the night of the eighth: the day had 23 hours.
    let told = desk.told(episode(1));
    assert_eq!(told[1..], ["1 due six-week 2026-03-07T05:00:00Z", "1 overdue six-week 2026-03-09T04:00:00Z"]);
}

#[tokio::test]
async fn a_process_that_was_away_tells_of_everything_it_missed() {
    let desk = planned(Lane::Live).await.restart_after(DAY * 60).await;
    desk.pass(Duration::ZERO).await;
    assert_eq!(desk.told(episode(1)), [PLANNED, DUE, OVERDUE]);
    assert_eq!(state(&desk).await, json!("overdue"));
}

#[tokio::test]
async fn a_result_that_comes_with_the_opening_does_not_swallow_it() {
    let desk = planned(Lane::Live).await;
    desk.clock.advance(DAY * 11);
    desk.tell(Lane::Live, result(episode(1), 2, "six-week", Some(("2026-02-12", "2026-02-19")))).await;
    let told = desk.told(episode(1));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].ends_with("due six-week 2026-02-12T00:00:00Z"));
}

#[tokio::test]
async fn a_hold_stops_the_clock_of_the_visit() {
    let desk = planned(Lane::Live).await;
    desk.tell(Lane::Live, result(episode(1), 2, "hold", None)).await;
    desk.pass(DAY * 60).await;
    assert_eq!(desk.told(episode(1)), [PLANNED, "2 planned hold never"]);
    assert_eq!(state(&desk).await, json!("unplanned"));
}

#[tokio::test]
async fn a_visit_that_comes_moves_the_window_and_the_old_one_is_never_overdue() {
    let desk = planned(Lane::Live).await;
    desk.pass(DAY * 12).await;
    desk.tell(Lane::Live, result(episode(1), 2, "three-monthly", Some(("2026-04-20", "2026-05-18")))).await;
    desk.pass(DAY * 30).await;
    assert_eq!(desk.told(episode(1)), [PLANNED, DUE, "2 planned three-monthly 2026-04-20/2026-05-18"]);
    assert_eq!(state(&desk).await, json!("planned"));
}

#[tokio::test]
async fn a_live_plan_that_is_late_already_is_told_and_an_imported_one_is_only_listed() {
    for (lane, lines) in [(Lane::Live, 3), (Lane::Bulk, 1)] {
        let desk = Desk::open().await;
        desk.tell(lane, result(episode(1), 1, "initial", Some(("2026-01-10", "2026-01-20")))).await;
        assert_eq!(desk.told(episode(1)).len(), lines);
        assert_eq!(state(&desk).await, json!("overdue"));
    }
}
