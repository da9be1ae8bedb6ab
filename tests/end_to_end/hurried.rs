//! Senders who are gone as soon as they have sent everything, or who say that they will send no more.

use std::time::Duration;

use lasegue_testkit::caller::{Caller, saddle_visit};
use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::wait::{eventually, pause};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Senders of each kind.
const EACH: usize = 6;

/// What a sender does when everything is sent.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// Sends no more, and waits for the answer.
    Listens,
    Leaves,
    /// Its machine is gone, a moment after the last byte.
    Vanishes,
}

/// Sends a submission with a red flag to an episode of its own, and gives that and the answer, if it waited for one.
async fn send(clinic: &Clinic, caller: &Caller, refused: bool, then: Then) -> (String, String) {
    let episode = caller.register().await.expect("it answers");
    let mut visit = saddle_visit("v1");
    if refused {
        visit["colour"] = json!("blue");
    }
    let (body, token) = (visit.to_string(), clinic.token_for("clinician"));
    let head = format!(
        "POST /api/v1/episodes/{episode}/submissions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer \
         {token}\r\nidempotency-key: k\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect(clinic.address()).await.expect("somebody listens");
    socket.write_all(format!("{head}{body}").as_bytes()).await.expect("it goes out");
    let mut answer = String::new();
    match then {
        Then::Listens => {
            socket.shutdown().await.expect("the line is there");
            socket.read_to_string(&mut answer).await.expect("it answers");
        }
        Then::Leaves => drop(socket),
        Then::Vanishes => {
            pause(Duration::from_millis(20)).await;
            socket.set_zero_linger().expect("the system can");
        }
    }
    (episode, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_whole_is_kept_though_its_sender_is_gone_and_who_listens_still_is_answered() {
    let clinic = crate::clinic().await;
    let caller = clinic.caller();
    for refused in [false, true] {
        for then in [Then::Listens, Then::Leaves, Then::Vanishes] {
            for _ in 0..EACH {
                let (episode, answer) = send(&clinic, &caller, refused, then).await;
                let status = if refused { "HTTP/1.1 422 " } else { "HTTP/1.1 202 " };
                assert!(!matches!(then, Then::Listens) || answer.starts_with(status), "{refused} {then:?}: {answer}");
                eventually("it is alerted", || alerted(&caller, &episode)).await;
            }
        }
    }
}

async fn alerted(caller: &Caller, episode: &str) -> bool {
    let answer = caller.get("/alerts?state=active&limit=500").send().await.expect("it answers");
    let listed: Value = answer.json().await.expect("JSON");
    listed["alerts"].as_array().expect("a list").iter().any(|alert| alert["episode_id"] == episode)
}
