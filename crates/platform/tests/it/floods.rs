//! Floods of HTTP/2 frames, each of them allowed by itself: whoever sends them is let go, and nobody else waits.

use std::time::Duration;

use lasegue_testkit::wait::pause;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::listener::{House, narrow};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Of the settings.
const INITIAL_WINDOW_SIZE: u8 = 4;
/// What one flood sends at most.
const MOST: usize = 16 << 20;
/// Seconds in which an answer must have been taken.
const WHOLE_ANSWER: u64 = 91;
/// How long a server that does not read any more is waited for.
const UNREAD: Duration = Duration::from_secs(1);

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is small").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The fields of a request, none of which is to be remembered.
fn request(method: &str, path: &str) -> Vec<u8> {
    let mut block = Vec::new();
    // By their places in HPACK's static table.
    for (name, value) in [(2, method), (4, path), (6, "http"), (1, "x")] {
        block.extend([name, u8::try_from(value.len()).expect("a short value")]);
        block.extend(value.as_bytes());
    }
    block
}

/// A request without a body.
fn asks(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &request("GET", path))
}

/// A connection that sends `opening` and then `more`, again and again, until it has sent enough or is not read any more.
async fn flood(house: &House, opening: &[u8], more: impl Fn(u32) -> Vec<u8>) -> TcpStream {
    let mut socket = house.connect().await;
    socket.write_all(&[PREFACE, opening].concat()).await.expect("it goes out");
    let (mut sent, mut number) = (0, 0);
    while sent < MOST {
        let mut burst = Vec::new();
        while burst.len() < 64 << 10 {
            burst.extend(more(number));
            number += 1;
        }
        match timeout(UNREAD, socket.write_all(&burst)).await {
            Ok(Ok(())) => sent += burst.len(),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    socket
}

/// Others are answered now, and the flood's connection ends within the time that an answer may take.
async fn only_the_flood_ends(house: &House, mut flooding: TcpStream) {
    assert_eq!(house.ask("GET", "/quick").await, "200 quick");
    assert_eq!(house.ask("GET", "/healthz").await, "200 alive");
    let ended = async {
        let mut room = vec![0; 64 << 10];
        // A reset is an end, too.
        while let Ok(1..) = flooding.read(&mut room).await {}
    };
    tokio::select! {
        () = ended => {}
        () = async {
            house.pass(WHOLE_ANSWER).await;
            pause(UNREAD).await;
        } => panic!("it is held on to"),
    }
}

const NO_SETTINGS: [u8; 0] = [];

fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &NO_SETTINGS)
}

/// Streams of a client have odd numbers.
const fn stream(number: u32) -> u32 {
    2 * number + 1
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once() {
    let house = narrow().await;
    let cancel = [0, 0, 0, 8];
    let asked = |number| [asks(stream(number), "/slow"), frame(RST_STREAM, 0, stream(number), &cancel)].concat();
    only_the_flood_ends(&house, flood(&house, &settings(), asked).await).await;
}

#[tokio::test]
async fn more_requests_at_once_than_a_connection_may_have() {
    let house = narrow().await;
    let flooding = flood(&house, &settings(), |number| asks(stream(number), "/slow")).await;
    only_the_flood_ends(&house, flooding).await;
}

#[tokio::test]
async fn a_head_without_an_end() {
    let house = narrow().await;
    let head = frame(HEADERS, 0, 1, &request("GET", "/quick"));
    // A field of a name and a value of one character each, again and again.
    let more = frame(CONTINUATION, 0, 1, &[0, 1, b'a', 1, b'b'].repeat(3_000));
    let flooding = flood(&house, &[settings(), head].concat(), |_| more.clone()).await;
    only_the_flood_ends(&house, flooding).await;
}

#[tokio::test]
async fn empty_pieces_of_a_head() {
    let house = narrow().await;
    let head = frame(HEADERS, 0, 1, &request("GET", "/quick"));
    let flooding = flood(&house, &[settings(), head].concat(), |_| frame(CONTINUATION, 0, 1, &[])).await;
    only_the_flood_ends(&house, flooding).await;
}

#[tokio::test]
async fn empty_pieces_of_a_body() {
    let house = narrow().await;
    let head = frame(HEADERS, END_HEADERS, 1, &request("POST", "/whole"));
    let flooding = flood(&house, &[settings(), head].concat(), |_| frame(DATA, 0, 1, &[])).await;
    only_the_flood_ends(&house, flooding).await;
}

#[tokio::test]
async fn pings_whose_answers_nobody_reads() {
    let house = narrow().await;
    let flooding = flood(&house, &settings(), |number| frame(PING, 0, 0, &u64::from(number).to_be_bytes())).await;
    only_the_flood_ends(&house, flooding).await;
}

#[tokio::test]
async fn settings_whose_answers_nobody_reads() {
    let house = narrow().await;
    let flooding = flood(&house, &settings(), |_| settings()).await;
    only_the_flood_ends(&house, flooding).await;
}

#[tokio::test]
async fn a_window_that_is_opened_byte_by_byte() {
    let house = narrow().await;
    let closed = frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0]);
    let opening = [closed, asks(1, "/large")].concat();
    let flooding = flood(&house, &opening, |_| frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])).await;
    only_the_flood_ends(&house, flooding).await;
}

#[tokio::test]
async fn answers_for_which_no_window_is_opened() {
    let house = narrow().await;
    let closed = frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0]);
    let asked: Vec<u8> = (0..4).flat_map(|number| asks(stream(number), "/large")).collect();
    let mut silent = house.connect().await;
    silent.write_all(&[PREFACE, &closed, &asked].concat()).await.expect("it goes out");
    only_the_flood_ends(&house, silent).await;
}
