//! Replicas that are silent, and addresses at which somebody else answers.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Short, so that a test needs no patience itself.
const PATIENCE: Patience = Patience {
    with_others: Duration::from_millis(300),
    alone: Duration::from_secs(1),
    overall: Duration::from_secs(20),
};

const SUBMISSIONS: &str = "/api/v1/episodes/1/submissions";

/// A process of another service, which answers 404 to everything but health.
async fn stranger() -> Remote {
    let router = Router::new().route("/readyz", any(async || "ready"));
    serve(named(router, &[Service::Alerting, Service::Scheduling])).await
}

/// A process that is paused: the system takes connections for it.
async fn paused() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    (listener, address)
}

fn address(remote: &Remote) -> SocketAddr {
    remote.authority().as_str().parse().expect("an address")
}

/// A door to intake, whose name leads to the next of `answers` at each look-up, and to the last of them for good.
fn door_to(answers: Vec<Vec<SocketAddr>>) -> (Router, Health) {
    let answers = Mutex::new(answers);
    let lookup = Lookup(Arc::new(move |_, _| {
        let mut answers = answers.lock().expect("nobody panics");
        let addresses = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { Ok(addresses) })
    }));
    let remotes = [(Service::Intake, "http://intake:8080".parse().expect("an address"))].into_iter().collect();
    let health = Health::default();
    let routes = pass_on_with(&remotes, &health, &lookup, PATIENCE);
    around(routes, health)
}

#[tokio::test]
async fn the_answer_of_another_service_is_never_passed_on() {
    for somebody in [stranger().await, serve(Router::new()).await] {
        let (door, health) = door([(Service::Intake, somebody)]);
        let (answer, body) = call(&door, Request::post(SUBMISSIONS), "{}").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{body}");
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(health.report().await.1["intake"], "another service answers at its address");
    }
}

#[tokio::test]
async fn a_name_that_led_to_another_service_is_looked_up_again() {
    let (wrong, right) = (address(&stranger().await), address(&echo().await));
    let (door, _) = door_to(vec![vec![wrong], vec![right]]);
    let (answer, body) = call(&door, Request::post(SUBMISSIONS), "{}").await;
    assert_eq!((answer.status(), body.as_str()), (StatusCode::IM_A_TEAPOT, "{}"));
    assert!(!answer.headers().contains_key("lasegue-service"));
}

/// Answers each request of a connection with what `answers` says, then holds the connection.
async fn scripted(connections: Vec<Vec<&'static str>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        for answers in connections {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            tokio::spawn(async move {
                let mut room = vec![0; 4096];
                for answer in answers {
                    let _ = socket.read(&mut room).await;
                    let _ = socket.write_all(answer.as_bytes()).await;
                }
                std::future::pending::<()>().await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_kept_connection_that_ends_at_another_service_is_let_go() {
    const OURS: &str = "HTTP/1.1 200 OK\r\nlasegue-service: intake\r\ncontent-length: 0\r\n\r\n";
    const THEIRS: &str = "HTTP/1.1 404 Not Found\r\nlasegue-service: alerting\r\ncontent-length: 0\r\n\r\n";
    let address = scripted(vec![vec![OURS, THEIRS], vec![OURS, OURS]]).await;
    let (door, _) = door_to(vec![vec![address]]);
    for _ in 0..3 {
        let (answer, body) = call(&door, Request::get("/api/v1/episodes/1"), "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{body}");
    }
}

#[tokio::test]
async fn what_is_safe_to_repeat_goes_to_another_replica_when_one_is_silent() {
    let good = address(&echo().await);
    for request in [Request::get("/api/v1/episodes/1"), Request::post(SUBMISSIONS).header("idempotency-key", "k")] {
        let (_paused, silent) = paused().await;
        let (door, health) = door_to(vec![vec![good, silent]]);
        let (answer, body) = call(&door, request, "{\"a\":1}").await;
        assert_eq!((answer.status(), body.as_str()), (StatusCode::IM_A_TEAPOT, "{\"a\":1}"));
        assert_eq!(health.report().await.1["intake"], "ok");
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again_by_another_replica() {
    let good = address(&echo().await);
    let (_paused, silent) = paused().await;
    let (door, _) = door_to(vec![vec![good, silent]]);
    let (answer, body) = call(&door, Request::post("/api/v1/alerts"), "").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{body}");
    let (answer, body) = call(&door, Request::post(SUBMISSIONS), "{}").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{body}");
}

#[tokio::test]
async fn a_replica_that_cannot_be_reached_is_passed_over_whatever_is_asked() {
    let (good, gone) = (address(&echo().await), address(&nobody().await));
    let (door, _) = door_to(vec![vec![good, gone]]);
    for _ in 0..2 {
        assert_eq!(call(&door, Request::post(SUBMISSIONS), "{}").await.0.status(), StatusCode::IM_A_TEAPOT);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_the_caller_s_fault() {
    let (door, _) = door([(Service::Intake, echo().await)]);
    let pieces = [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("no chunk"))];
    let request = Request::post(SUBMISSIONS).body(Body::from_stream(stream::iter(pieces))).expect("a request");
    let answer = door.oneshot(request).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}
