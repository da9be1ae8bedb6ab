//! Whoever only waits, dawdles or never reads keeps nobody else out.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::StreamExt;
use lasegue_platform::auth::{SigningKey, Verifier};
use lasegue_platform::http::{Front, Health, Limits, Rooms, Routes, serve};
use lasegue_platform::random::SystemRandom;
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::wait::pause;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SUBMISSIONS: &str = "/api/v1/episodes/1/submissions";
const A_MEBIBYTE: usize = 1 << 20;

pub(crate) struct House {
    address: SocketAddr,
    clock: ManualClock,
    /// Lets requests to /slow be answered.
    gate: Arc<Semaphore>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// What came of a body, and whether it was all.
async fn receive(body: Body) -> String {
    let (mut text, mut pieces) = (String::new(), body.into_data_stream());
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return format!("cut off: {text}") };
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    format!("whole: {text}")
}

async fn house(rooms: Rooms, limits: Limits) -> House {
    let (clock, gate) = (ManualClock::at_text("2026-01-21T09:00:00Z"), Arc::new(Semaphore::new(0)));
    let waits = gate.clone();
    let slow = get(move || async move { waits.acquire().await.map(|_| "late").map_err(|_| "closed") });
    let routes = Routes::new()
        .public("/quick", get(async || "quick"))
        .public("/large", get(async || vec![b'x'; 64 * A_MEBIBYTE]))
        .public("/slow", slow)
        .public("/whole", post(async |body: Bytes| body))
        .public("/json", post(async |Json(_): Json<Value>| "read"))
        .public("/api/v1/episodes/{id}/submissions", post(receive));
    let random = SystemRandom::shared();
    let verifier = Verifier::new(&SigningKey::generate(&*random));
    let front = Front { verifier, clock: Arc::new(clock.clone()), random, limits };
    let house = front.around(routes, &Health::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, house, rooms, Arc::new(clock.clone()), stop.clone()));
    House { address, clock, gate, stop, serving }
}

/// Few places.
pub(crate) async fn narrow() -> House {
    house(Rooms { most: 4, kept: 2, may_listen: true }, Limits::default()).await
}

impl House {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("somebody listens")
    }

    async fn say(&self, text: &str) -> TcpStream {
        let mut socket = self.connect().await;
        socket.write_all(text.as_bytes()).await.expect("it goes out");
        socket
    }

    /// The status and body of the answer to one request on a connection of its own; empty when there was none.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> String {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        told(self.say(&head).await).await
    }

    /// Takes every place with a request under way.
    async fn busy(&self) -> Vec<TcpStream> {
        let mut sockets = Vec::new();
        for _ in 0..4 {
            sockets.push(self.say("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await);
        }
        pause(Duration::from_millis(100)).await;
        sockets
    }

    /// Moves the clock when whoever sleeps on it has begun to.
    pub(crate) async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            pause(Duration::from_millis(10)).await;
            self.clock.advance(Duration::from_secs(1));
        }
    }
}

/// All that comes until the end, as status and body.
async fn told(mut socket: TcpStream) -> String {
    let mut bytes = Vec::new();
    match socket.read_to_end(&mut bytes).await {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => {}
    }
    let text = String::from_utf8_lossy(&bytes);
    let status = text.split(' ').nth(1).unwrap_or_default();
    format!("{status} {}", text.split("\r\n\r\n").nth(1).unwrap_or_default()).trim().to_owned()
}

#[tokio::test]
async fn connections_that_wait_make_way_for_those_that_ask() {
    let house = narrow().await;
    let mut waiting = Vec::new();
    for number in 0..60 {
        let text = if number % 2 == 0 { "" } else { "GET /quick HTTP/1.1\r\nhost:" };
        waiting.push(house.say(text).await);
    }
    for _ in 0..10 {
        assert_eq!(house.ask("GET", "/quick").await, "200 quick");
        assert_eq!(house.ask("GET", "/healthz").await, "200 alive");
        house.clock.advance(Duration::from_millis(200));
    }
}

#[tokio::test]
async fn health_and_submissions_find_a_place_when_every_other_is_at_work() {
    let house = narrow().await;
    let busy = house.busy().await;
    assert_eq!(house.ask("GET", "/healthz").await, "200 alive");
    assert_eq!(house.ask("POST", SUBMISSIONS).await, "200 whole:");
    let refused = house.ask("GET", "/quick").await;
    assert!(refused.starts_with("503 {"), "{refused}");
    house.gate.add_permits(4);
    pause(Duration::from_millis(100)).await;
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.ask("GET", "/quick").await, "200 quick");
    drop(busy);
}

#[tokio::test]
async fn health_and_submissions_are_answered_when_too_many_requests_are_under_way() {
    let limits = Limits { at_once: 4, kept: 1, ..Limits::default() };
    let house = house(Rooms { most: 100, kept: 2, may_listen: true }, limits).await;
    let _busy = house.busy().await;
    assert_eq!(house.ask("GET", "/healthz").await, "200 alive");
    assert_eq!(house.ask("POST", SUBMISSIONS).await, "200 whole:");
    assert!(house.ask("GET", "/quick").await.starts_with("503 {"));
}

#[tokio::test]
async fn a_connection_ends_when_it_asks_nothing_or_does_not_come_to_the_end_of_its_question() {
    let house = narrow().await;
    let silent = [house.say("").await, house.say("GET /quick HTTP/1.1\r\nhost: x\r\n").await];
    let mut kept = house.say("GET /quick HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut room = [0; 17];
    kept.read_exact(&mut room).await.expect("an answer");
    assert_eq!(&room, b"HTTP/1.1 200 OK\r\n");
    let at_work = house.say("GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    house.pass(21).await;
    for socket in silent {
        assert_eq!(told(socket).await, "");
    }
    assert!(kept.read_to_end(&mut Vec::new()).await.is_ok());
    house.gate.add_permits(1);
    assert_eq!(told(at_work).await, "200 late");
}

#[tokio::test]
async fn a_body_that_stalls_counts_as_broken_off_with_what_came_of_it() {
    let house = narrow().await;
    let head =
        format!("POST {SUBMISSIONS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99\r\n\r\nred flag");
    let stalled = house.say(&head).await;
    house.pass(11).await;
    assert_eq!(told(stalled).await, "200 cut off: red flag");
}

#[tokio::test]
async fn whoever_needs_all_of_a_body_that_stalls_answers_that_it_did_not_come_in_time() {
    let house = narrow().await;
    let mut stalled = Vec::new();
    for path in ["/whole", "/json"] {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n");
        stalled.push(house.say(&format!("{head}content-length: 99\r\n\r\n{{")).await);
    }
    house.pass(11).await;
    for stalled in stalled {
        let told = told(stalled).await;
        assert!(told.starts_with("408 {") && told.contains("did not arrive in time"), "{told}");
        assert!(told.contains("urn:lasegue:request:"), "{told}");
    }
}

#[tokio::test]
async fn a_body_that_drips_is_cut_off_though_something_comes_every_second() {
    let house = narrow().await;
    let head = format!("POST {SUBMISSIONS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99\r\n\r\n");
    let mut dripping = house.say(&head).await;
    for _ in 0..11 {
        dripping.write_all(b"x").await.expect("it goes out");
        house.pass(1).await;
    }
    assert!(told(dripping).await.starts_with("200 cut off: xxxxxx"));
}

#[tokio::test]
async fn who_reads_slowly_is_given_all_of_the_answer() {
    let house = narrow().await;
    let mut slow = house.say("GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (mut room, mut bytes) = (vec![0; A_MEBIBYTE], 0);
    for _ in 0..40 {
        bytes += slow.read_exact(&mut room).await.expect("there is more");
        house.pass(1).await;
    }
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).await.expect("all of it comes");
    assert!(bytes + rest.len() > 64 * A_MEBIBYTE, "{} bytes", bytes + rest.len());
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_let_go() {
    let house = narrow().await;
    let mut deaf = house.say("GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    house.pass(31).await;
    let mut bytes = Vec::new();
    let ended = deaf.read_to_end(&mut bytes).await;
    assert!(ended.is_err() || bytes.len() < 64 * A_MEBIBYTE, "{} bytes", bytes.len());
}

#[tokio::test]
async fn a_request_names_one_host() {
    let house = narrow().await;
    for (hosts, status) in
        [("", "400"), ("host: a\r\nhost: b\r\n", "400"), ("host: a\r\nHost: a\r\n", "400"), ("host: a\r\n", "200")]
    {
        let head = format!("GET /quick HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        let told = told(house.say(&head).await).await;
        assert!(told.starts_with(status), "{hosts}: {told}");
    }
    assert_eq!(told(house.say("GET /quick HTTP/1.0\r\n\r\n").await).await, "200 quick");
}

/// A head that says in two ways, or in none that is right, where its body ends.
const FRAMINGS: &[&str] = &[
    "content-length: 4\r\ncontent-length: 5\r\n",
    "content-length: 4, 5\r\n",
    "content-length: +4\r\n",
    "content-length: -4\r\n",
    "content-length: 0x4\r\n",
    "content-length: 4 4\r\n",
    "content-length: \r\n",
    "content-length: 99999999999999999999\r\n",
    "content-length : 4\r\n",
    "content-length\t: 4\r\n",
    " content-length: 4\r\n",
    "content-length: 4\r\n folded\r\n",
    "content-length: 4\0\r\n",
    "transfer-encoding: xchunked\r\n",
    "transfer-encoding: chunked, identity\r\n",
    "transfer-encoding: identity\r\n",
    "transfer-encoding : chunked\r\n",
    "transfer-encoding: \x0bchunked\r\n",
    "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
];

/// A body in pieces whose sizes are none.
const PIECES: &[&str] =
    &["fffffffffffffffff\r\n", "-1\r\n", "+1\r\nx\r\n", "0x1\r\nx\r\n", "1 1\r\nx\r\n", "\r\n", "1\rx\n"];

#[tokio::test]
async fn no_framing_makes_one_request_of_two() {
    let house = narrow().await;
    let begin = format!("POST {SUBMISSIONS} HTTP/1.1\r\nhost: x\r\n");
    let hidden = "GET /quick HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let heads = FRAMINGS.iter().map(|framing| format!("{begin}{framing}\r\n0\r\n\r\n{hidden}"));
    let chunked = "transfer-encoding: chunked\r\n";
    let pieces = PIECES.iter().map(|piece| format!("{begin}{chunked}\r\n{piece}0\r\n\r\n{hidden}"));
    for sent in heads.chain(pieces) {
        let mut socket = house.say(&sent).await;
        let mut bytes = Vec::new();
        // Whoever is cut off may see it as a reset.
        let _ = socket.read_to_end(&mut bytes).await;
        let answers = String::from_utf8_lossy(&bytes);
        assert!(!answers.contains("quick"), "{sent:?}: {answers}");
        assert!(answers.matches("HTTP/1.1 ").count() <= 1, "{sent:?}: {answers}");
    }
    let both = format!("{begin}content-length: 4\r\n{chunked}\r\n0\r\n\r\n{hidden}");
    let answers = told(house.say(&both).await).await;
    assert!(answers.starts_with("400") || answers.starts_with("200 whole:"), "{answers}");
    assert_eq!(house.ask("GET", "/quick").await, "200 quick");
}

#[tokio::test]
async fn the_end_waits_for_requests_under_way_and_for_nothing_else() {
    let house = narrow().await;
    let _idle = house.connect().await;
    let under_way = house.say("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    pause(Duration::from_millis(50)).await;
    house.stop.cancel();
    pause(Duration::from_millis(50)).await;
    assert!(!house.serving.is_finished());
    house.gate.add_permits(1);
    assert_eq!(told(under_way).await, "200 late");
    house.serving.await.expect("it ends");
}
