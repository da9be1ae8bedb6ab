use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, StatusCode};
use lasegue_platform::auth::{SigningKey, Verifier};
use lasegue_platform::clock::SystemClock;
use lasegue_platform::http::{Front, Limits, REQUEST_ID, named};
use lasegue_platform::random::SystemRandom;
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::*;

mod replicas;
mod tricks;

/// A service that answers with what it was sent.
async fn echo() -> Remote {
    async fn answer(request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let names: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
        let told = format!(
            "{} {} {} [{}]",
            parts.method,
            parts.uri,
            parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default(),
            names.join(" ")
        );
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        let builder = Response::builder().status(StatusCode::IM_A_TEAPOT).header("content-type", "application/json");
        let builder = builder.header("told", told).header("keep-alive", "timeout=5");
        builder.body(Body::from(body)).expect("an answer")
    }
    let router = Router::new().route("/readyz", any(async || "ready")).fallback(answer);
    serve(named(router, &[Service::Intake])).await
}

async fn serve(router: Router) -> Remote {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}").parse().expect("an address")
}

/// An address at which nobody listens.
async fn nobody() -> Remote {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    format!("http://{}", listener.local_addr().expect("an address")).parse().expect("an address")
}

fn door(remotes: impl IntoIterator<Item = (Service, Remote)>) -> (Router, Health) {
    let health = Health::default();
    let routes = pass_on(&remotes.into_iter().collect(), &health);
    around(routes, health)
}

fn around(routes: Routes, health: Health) -> (Router, Health) {
    let random = SystemRandom::shared();
    let verifier = Verifier::new(&SigningKey::generate(&*random));
    let front = Front { verifier, clock: SystemClock::shared(), random, limits: Limits::default() };
    (front.around(routes, &health), health)
}

async fn call(door: &Router, request: axum::http::request::Builder, body: &'static str) -> (Response, String) {
    let request = request.body(Body::from(body)).expect("a request");
    let answer = door.clone().oneshot(request).await.expect("it answers");
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (Response::from_parts(parts, Body::empty()), String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn a_call_reaches_its_service_unchanged_but_for_the_connection() {
    let (door, _) = door([(Service::Intake, echo().await)]);
    let request = Request::post("/api/v1/episodes/1/submissions?a=b%20c")
        .header("authorization", "Bearer x")
        .header("connection", "close, x-mine")
        .header("x-mine", "1")
        .header("te", "trailers")
        .header("host", "front.example")
        .header(REQUEST_ID, "request-1");
    let (answer, body) = call(&door, request, "{\"a\":1}").await;
    assert_eq!((answer.status(), body.as_str()), (StatusCode::IM_A_TEAPOT, "{\"a\":1}"));
    assert!(!answer.headers().contains_key("keep-alive"));
    let told = answer.headers()["told"].to_str().expect("text");
    let (line, names) = told.split_once(" [").expect("both parts");
    assert_eq!(line, "POST /api/v1/episodes/1/submissions?a=b%20c request-1");
    let mut names: Vec<_> = names.trim_end_matches(']').split(' ').collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "content-length", "host", "traceparent", "x-request-id"]);
}

#[tokio::test]
async fn an_address_outside_the_table_is_nobodys() {
    let (door, _) = door([(Service::Intake, echo().await)]);
    for path in ["/api/v1/secrets", "/readyz/x", "/api/v1/alerts"] {
        assert_eq!(call(&door, Request::get(path), "").await.0.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_told_to_the_caller_and_leaves_the_door_open() {
    let (door, health) = door([(Service::Intake, echo().await), (Service::Alerting, nobody().await)]);
    let (answer, body) = call(&door, Request::get("/api/v1/alerts"), "").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert!(body.contains("The alerting service does not answer now."), "{body}");
    let (ready, checks) = health.report().await;
    assert!(!ready, "nobody is paged");
    assert_eq!((checks["intake"].as_str(), checks["alerting"].as_str()), (Some("ok"), Some("it cannot be reached")));
}

#[tokio::test]
async fn the_door_is_ready_without_those_who_page_nobody() {
    let (_, health) = door([(Service::Intake, echo().await), (Service::Scheduling, nobody().await)]);
    let (ready, checks) = health.report().await;
    assert!(ready);
    assert_eq!(checks["scheduling"].as_str(), Some("it cannot be reached"));
}

#[test]
fn an_address_that_is_none_is_refused_with_how_to_write_it() {
    for address in ["", "intake:8080", "https://intake:8080", "http://intake:8080/api", "http://a b"] {
        let refusal = address.parse::<Remote>().expect_err(address).to_string();
        assert!(refusal.contains("write it like http://intake:8080"), "{refusal}");
    }
}
