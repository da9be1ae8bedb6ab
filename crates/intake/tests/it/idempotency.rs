//! However requests repeat and run into each other, each submission is told once.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use futures_util::future::join_all;
use lasegue_contracts::intake::SubmissionAccepted;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use crate::harness::{House, calm, with};

/// One request: which key, which sender's id, which content.
#[derive(Clone, Copy, Debug)]
struct Sent {
    key: u8,
    id: u8,
    pain: u8,
}

impl Sent {
    fn body(self) -> Value {
        with(calm(&format!("v{}", self.id)), "/pain/leg/value", json!(self.pain))
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    (0..3_u8, 0..3_u8, 0..2_u8).prop_map(|(key, id, pain)| Sent { key, id, pain })
}

async fn run(all: &[Sent]) -> Result<(), TestCaseError> {
    let house = House::open().await;
    let episode = house.episode().await;
    let answers = join_all(all.iter().map(async |sent| {
        let answer = house.submit(episode, &format!("k{}", sent.key), &sent.body()).await;
        (*sent, answer)
    }))
    .await;
    let mut by_id = BTreeMap::new();
    let mut by_key = BTreeMap::new();
    for (sent, answer) in &answers {
        if answer.status == StatusCode::ACCEPTED {
            by_id.entry(sent.id).or_insert_with(BTreeSet::new).insert((sent.pain, answer.id()));
            by_key.entry(sent.key).or_insert_with(BTreeSet::new).insert((sent.id, sent.pain));
        } else {
            prop_assert!(answer.status.is_client_error(), "{:?}: {}", sent, answer.text);
        }
    }
    prop_assert!(by_id.values().all(|taken| taken.len() == 1), "an id stands for one content: {by_id:?}");
    prop_assert!(by_key.values().all(|taken| taken.len() == 1), "a key stands for one body: {by_key:?}");
    let told = house.events::<SubmissionAccepted>().await;
    let told: Vec<_> = told.into_iter().map(|event| event.submission.map(|one| one.id).unwrap_or_default()).collect();
    let expected: BTreeSet<_> = by_id.values().flatten().map(|(_, id)| id.to_string()).collect();
    prop_assert_eq!(told.len(), expected.len());
    prop_assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_of_repeated_requests_tells_each_submission_once(all in prop::collection::vec(sent(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(run(&all))?;
    }
}
