//! Records of very many visits: they keep nobody waiting.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use lasegue_contracts::Event;
use lasegue_contracts::intake::{RecordImported, SubmissionAccepted, SubmissionRefused};
use lasegue_testkit::containers::Postgres;
use lasegue_testkit::wait::eventually;
use lasegue_values::limits::MOST_SUBMISSIONS;
use serde_json::{Value, json};

use crate::harness::{House, NOW, Place, calm, record, saddle, with};

#[tokio::test]
async fn a_record_of_more_visits_than_an_episode_may_hold_is_refused_without_the_writer() {
    let house = House::open().await;
    let writing = house.keep_from_writing().await;
    let visits: Vec<_> = (0..=MOST_SUBMISSIONS).map(|n| calm(&format!("v{n}"))).collect();
    let answer = house.import(&[record(&visits)]).await.remove(0);
    assert_eq!(answer["outcome"], "refused");
    assert!(answer["faults"].to_string().contains("at most 2000"), "{}", answer["faults"]);
    drop(writing);
}

#[tokio::test]
async fn what_is_live_comes_between_the_danger_signs_of_a_refused_record() {
    let house = House::open().await;
    let visits: Vec<_> = (0..400).map(|n| saddle(&format!("v{n}"))).collect();
    let mut faulty = with(record(&visits), "/episode/id", json!("another"));
    faulty["colour"] = json!("blue");
    let episode = house.episode().await;
    let live = async {
        eventually("some of it is told", || async { !house.events::<SubmissionRefused>().await.is_empty() }).await;
        house.submit(episode, "k", &calm("live")).await.id()
    };
    let (refused, _) = tokio::join!(house.import(std::slice::from_ref(&faulty)), live);
    assert_eq!(refused[0]["outcome"], "refused");
    assert_eq!(house.events::<SubmissionRefused>().await.len(), visits.len(), "each danger sign pages");
    let types: Vec<_> = house.outbox().await.into_iter().map(|row| row.event_type).collect();
    let live = types.iter().position(|event| event == SubmissionAccepted::TYPE);
    let last = types.iter().rposition(|event| event == SubmissionRefused::TYPE);
    assert!(live < last, "it waited for all of them");
}

/// A new episode of so many visits as one may have.
fn full() -> Value {
    let visits: Vec<_> = (0..MOST_SUBMISSIONS).map(|n| calm(&format!("v{n}"))).collect();
    let mut full = with(record(&visits), "/episode/id", json!("another"));
    let signed = |n| json!({ "kind": "longstanding", "item": "saddle_sensation", "by": "dr-a", "at": NOW, "note": n });
    full["adjudications"] = ["old", "old", "older"].map(signed).into();
    full
}

async fn begun(house: &House, visits: i64) {
    eventually("some of it is written", || async { house.count("submissions").await > visits }).await;
}

async fn what_is_live_comes_between_the_pieces_of_a_large_new_record(place: Place) {
    let house = House::open_in(place).await;
    let episode = house.episode().await;
    let live = async {
        begun(&house, 0).await;
        house.submit(episode, "k", &calm("live")).await.id()
    };
    let full = [full()];
    let (taken, _) = tokio::join!(house.import(&full), live);
    assert_eq!(taken[0]["outcome"], "accepted");
    assert_eq!(taken[0]["adjudications"].as_array().map(Vec::len), Some(3), "one of them twice");
    let types: Vec<_> = house.outbox().await.into_iter().map(|row| row.event_type).collect();
    let live = types.iter().position(|event| event == SubmissionAccepted::TYPE);
    let told = types.iter().position(|event| event == RecordImported::TYPE);
    assert!(live < told, "it waited for all of them");
    let told = house.events::<RecordImported>().await;
    let pieces = |event: &RecordImported| event.submissions.len() + event.adjudications.len();
    assert_eq!(told.iter().map(pieces).sum::<usize>(), MOST_SUBMISSIONS + 2);
    assert_eq!(house.import(&full).await[0]["outcome"], "known");
}

async fn of_a_large_record_that_broke_off_nothing_is_there_and_it_can_be_sent_again(place: Place) {
    let (house, full) = (House::open_in(place).await, [full()]);
    tokio::select! {
        taken = house.import(&full) => panic!("it was faster: {}", taken[0]["outcome"]),
        () = begun(&house, 0) => {}
    }
    let house = house.open_again().await;
    assert_eq!((house.count("episodes").await, house.outbox().await.len()), (0, 0));
    let left = house.count("submissions").await;
    let taken = house.import(&full).await.remove(0);
    assert_eq!((&taken["outcome"], taken["submissions"].as_array().map(Vec::len)), (&json!("accepted"), Some(2_000)));
    assert_eq!(house.count("submissions").await, left + 2_000);
    house.clock.advance(TimeDelta::days(2).to_std().expect("it is ahead"));
    eventually("what was left is removed", || async {
        house.clock.advance(Duration::from_secs(2));
        house.count("submissions").await == 2_000 && house.count("ahead").await == 0
    })
    .await;
    assert_eq!(house.import(&full).await[0]["outcome"], "known");
}

mod sqlite {
    use super::*;

    #[tokio::test]
    async fn what_is_live_comes_between_the_pieces_of_a_large_new_record() {
        super::what_is_live_comes_between_the_pieces_of_a_large_new_record(Place::folder()).await;
    }

    #[tokio::test]
    async fn of_a_large_record_that_broke_off_nothing_is_there_and_it_can_be_sent_again() {
        super::of_a_large_record_that_broke_off_nothing_is_there_and_it_can_be_sent_again(Place::folder()).await;
    }
}

/// Each on a server of its own: together they would open more databases than one role may hold connections for.
mod postgres {
    use super::*;

    async fn server() -> Place {
        let server = Arc::new(Postgres::start().await);
        server.make("large").await;
        Place::Server(server, "large")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_live_comes_between_the_pieces_of_a_large_new_record() {
        super::what_is_live_comes_between_the_pieces_of_a_large_new_record(server().await).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_a_large_record_that_broke_off_nothing_is_there_and_it_can_be_sent_again() {
        super::of_a_large_record_that_broke_off_nothing_is_there_and_it_can_be_sent_again(server().await).await;
    }
}
