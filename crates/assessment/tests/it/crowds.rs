//! One episode with very much to say: it is evaluated a few times, not each time, and nobody else waits for it.

use lasegue_contracts::event::Lane;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::records::{Piece, registered, saddle, submission_id};
use crate::ward::Ward;

const NOISY: Uuid = Uuid::from_u128(1);
/// Fewer than a bus in the process carries at once, so that all of it waits there.
const VISITS: usize = 400;
/// Evaluations of the noisy episode that its visits may cost.
const EVALUATIONS: usize = 20;

fn calm(number: usize) -> Value {
    json!({
        "id": submission_id(&format!("calm-{number}")), "author": "patient",
        "assessed_at": "2026-01-21T09:00:00Z", "received_at": "2026-01-21T09:00:00Z",
        "pain": { "leg": { "scale": "vas", "value": number % 100 } },
    })
}

async fn crowd(ward: &Ward) {
    ward.bring(NOISY, Lane::Live, Piece::Blocks { version: 1, record: registered() }).await;
    for number in 0..VISITS {
        ward.bring(NOISY, Lane::Live, Piece::Submission(calm(number))).await;
    }
}

#[tokio::test]
async fn what_waits_of_one_episode_is_evaluated_a_few_times_and_all_of_it_counts() {
    let ward = Ward::with_replicas(0).await;
    crowd(&ward).await;
    ward.waiting(VISITS as u64 + 1).await;
    ward.wake().await;
    ward.settled().await;
    let results = ward.completed(NOISY).await.len();
    assert!((1..=EVALUATIONS).contains(&results), "{VISITS} visits were evaluated {results} times");
    assert_eq!(ward.pieces(NOISY).await.len(), VISITS);
}

#[tokio::test]
async fn a_red_flag_of_another_episode_never_waits_for_a_crowd() {
    let ward = Ward::with_replicas(0).await;
    crowd(&ward).await;
    let others: Vec<_> = (2..7).map(Uuid::from_u128).collect();
    for other in &others {
        ward.bring(*other, Lane::Live, Piece::Blocks { version: 1, record: registered() }).await;
        ward.bring(*other, Lane::Live, Piece::Submission(saddle("urgent", "2026-01-21T09:00:00Z"))).await;
    }
    ward.waiting(VISITS as u64 + 1 + 2 * others.len() as u64).await;
    ward.wake().await;
    ward.settled().await;
    for other in &others {
        assert!(!ward.red_flags(*other).await.is_empty());
    }
    let before = ward.completed_before_the_last_red_flag(NOISY).await;
    assert!(before <= EVALUATIONS, "the last red flag of the others waited for {before} evaluations of the crowd");
}

#[tokio::test]
async fn a_large_imported_record_is_kept_a_few_pieces_at_a_time_and_evaluated_once() {
    let ward = Ward::open().await;
    let mut record = registered();
    record["submissions"] = (0..1_100).map(calm).collect();
    ward.import(NOISY, &record).await;
    ward.redeliver().await;
    let kept = ward.pieces_by_commit(NOISY).await;
    assert!(kept.iter().all(|pieces| *pieces <= 250), "{kept:?}");
    assert_eq!(kept.iter().sum::<i64>(), 1_100);
    assert_eq!(ward.completed(NOISY).await.len(), 1);
}

#[tokio::test]
async fn an_event_that_no_record_may_hold_stops_nothing_that_waits_with_it() {
    let ward = Ward::with_replicas(0).await;
    ward.bring(NOISY, Lane::Live, Piece::Blocks { version: 1, record: registered() }).await;
    let mut twisted = saddle("one", "2026-01-21T09:00:00Z");
    twisted["author"] = json!("clinician");
    for visit in [calm(1), saddle("one", "2026-01-21T09:00:00Z"), twisted, calm(2)] {
        ward.bring(NOISY, Lane::Live, Piece::Submission(visit)).await;
    }
    ward.waiting(5).await;
    ward.wake().await;
    ward.settled().await;
    assert_eq!(ward.pieces(NOISY).await.len(), 3);
    let set_aside = ward.set_aside().await;
    assert_eq!(set_aside.len(), 1, "{set_aside:?}");
    assert!(set_aside[0].contains("another submission"), "{set_aside:?}");
    assert!(!ward.red_flags(NOISY).await.is_empty());
}
