//! Pieces in any order, more than once, on two replicas: always the same end.

use lasegue_contracts::assessment::{RedFlag, RedFlagRaised};
use lasegue_contracts::event::Lane;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::records::{Piece, case, expected, pieces};
use crate::ward::Ward;

/// Arrivals tried of each record.
const ARRIVALS: u32 = 24;

/// Every piece of a record at least once, some twice, in any order; the blocks also in an older version.
fn arrivals(record: &Value) -> impl Strategy<Value = Vec<Piece>> {
    let mut once = pieces(record);
    once.retain(|piece| !matches!(piece, Piece::Blocks { .. }));
    let mut older = record.clone();
    older["episode"]["onset_date"] = json!("2020-01-01");
    once.push(Piece::Blocks { version: 1, record: older });
    once.push(Piece::Blocks { version: 2, record: record.clone() });
    let twice = proptest::sample::subsequence(once.clone(), 0..=once.len());
    twice.prop_flat_map(move |twice| Just([once.clone(), twice].concat()).prop_shuffle())
}

fn many_arrivals(record: &Value) -> Vec<Vec<Piece>> {
    let mut runner = TestRunner::deterministic();
    let strategy = arrivals(record);
    (0..ARRIVALS).map(|_| strategy.new_tree(&mut runner).expect("it makes one").current()).collect()
}

/// The content of a red flag, without what differs between episodes and arrivals: which of the pieces came last, too.
fn content(event: RedFlagRaised) -> RedFlagRaised {
    let flags = event.flags.into_iter().map(|flag| RedFlag { last_met: None, ..flag }).collect();
    RedFlagRaised { episode_id: String::new(), revision: 0, flags, ..event }
}

async fn any_arrival_ends_alike(ward: &Ward, first_episode: u128, record: &Value) {
    let result = serde_json::to_value(expected(record)).expect("JSON");
    let arrivals = many_arrivals(record);
    for (episode, arrival) in (first_episode..).map(Uuid::from_u128).zip(&arrivals) {
        for piece in arrival.clone() {
            ward.bring(episode, Lane::Live, piece).await;
        }
    }
    ward.settled().await;
    let mut flags: Option<RedFlagRaised> = None;
    for (episode, arrival) in (first_episode..).map(Uuid::from_u128).zip(&arrivals) {
        let mut found = ward.get(episode, "").await.1;
        let revision = found["revision"].take().as_u64();
        found.as_object_mut().expect("an object").remove("revision");
        assert_eq!(found, result, "{arrival:?}");
        let last = ward.red_flags(episode).await.into_iter().max_by_key(|event| event.revision).expect("one");
        assert_eq!(Some(last.revision), revision);
        let last = content(last);
        assert_eq!(*flags.get_or_insert_with(|| last.clone()), last, "{arrival:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_of_arrival_with_repetitions_ends_in_the_same_state() {
    let ward = Ward::with_replicas(2).await;
    for (number, name) in
        (1..).zip(["06b-worse-after-disposition", "23c-corrected-emergency-stays", "05-motor-drop-one"])
    {
        any_arrival_ends_alike(&ward, number * 1_000, &case(name)).await;
    }
    assert_eq!(ward.set_aside().await, [""; 0]);
}

#[tokio::test]
async fn an_event_delivered_again_changes_nothing() {
    let ward = Ward::open().await;
    let (episode, record) = (Uuid::from_u128(1), case("06b-worse-after-disposition"));
    ward.tell(episode, Lane::Live, &record).await;
    let state = async || (ward.get(episode, "?history=true").await, ward.told_in_order(episode).await);
    let before = state().await;
    ward.redeliver().await;
    assert_eq!(state().await, before);
}

#[tokio::test]
async fn a_revision_stands_for_what_was_new_and_nothing_else() {
    let ward = Ward::open().await;
    let (episode, record) = (Uuid::from_u128(1), case("06b-worse-after-disposition"));
    for _ in 0..2 {
        ward.tell(episode, Lane::Live, &record).await;
    }
    let (results, found) = (ward.completed(episode).await, ward.get(episode, "").await.1);
    // The registration alone gives none.
    assert_eq!(results.len(), pieces(&record).len() - 1);
    assert_eq!(found["revision"].as_u64(), results.iter().map(|result| result.revision).max());
}

#[tokio::test]
async fn pieces_that_come_before_their_episode_wait_for_it() {
    let ward = Ward::open().await;
    let (episode, record) = (Uuid::from_u128(1), case("06d-emergency-latches"));
    let mut arriving = pieces(&record);
    arriving.reverse();
    let blocks = arriving.pop().expect("the blocks come first in the document");
    for piece in arriving {
        ward.bring(episode, Lane::Live, piece).await;
        ward.settled().await;
    }
    assert_eq!(ward.told_in_order(episode).await, [""; 0]);
    ward.bring(episode, Lane::Live, blocks).await;
    ward.settled().await;
    assert_eq!(ward.red_flags(episode).await.len(), 1);
}
