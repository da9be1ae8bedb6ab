//! One corpus of requests, valid and wicked: one process on SQLite and a process for each role on NATS and PostgreSQL answer
//! it alike, byte for byte. What nobody can foresee is masked: our ids, and what comes of a clock.

mod answer;
mod bodies;
mod calls;
mod wicked;

use lasegue_testkit::installation::{Fleet, Installation};

use self::answer::{Answer, Sender};
use self::calls::Call;

/// Sends every call of the corpus, one after the other.
async fn answers(place: &impl Installation, corpus: &[Call]) -> Vec<Answer> {
    let episode = place.caller().register().await.expect("it answers");
    let sender = Sender::of(place);
    let mut answers = Vec::with_capacity(corpus.len());
    for (number, call) in corpus.iter().enumerate() {
        answers.push(sender.send(number, call, &episode).await);
    }
    answers
}

#[tokio::test]
async fn one_process_and_a_process_for_each_role_answer_every_request_alike() {
    let corpus = calls::corpus();
    let (clinic, fleet) = tokio::join!(crate::clinic(), Fleet::open(env!("CARGO_BIN_EXE_lasegue"), 1));
    let (one, other) = tokio::join!(answers(&clinic, &corpus), answers(&fleet, &corpus));
    let both = corpus.iter().zip(one.iter().zip(&other));
    let differing: Vec<_> = both.filter(|(_, (one, other))| one != other).collect();
    for (call, (one, other)) in &differing {
        eprintln!("{call}\n  up:    {one}\n  apart: {other}");
    }
    println!("{} requests, {} answered differently", corpus.len(), differing.len());
    assert!(differing.is_empty(), "{} of {} requests are answered differently", differing.len(), corpus.len());
    let failed: Vec<_> = corpus.iter().zip(&one).filter(|(_, answer)| answer.status >= 500).collect();
    assert!(failed.is_empty(), "no request is the service's fault: {failed:?}");
}
