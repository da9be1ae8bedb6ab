//! The HTTP layer around real routes: identity, problems, limits.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use lasegue_platform::auth::{self, Identity, Role, SigningKey, Verifier};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::http::{self, Front, Health, IdempotencyKey, Limits, Routes};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::telemetry::TraceContext;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

/// A clock that stands still, so that documents can be compared.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    fn sleep_until(&self, _: DateTime<Utc>) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

struct House {
    router: axum::Router,
    key: SigningKey,
}

impl House {
    fn new() -> Self {
        let key = SigningKey::generate(&*SystemRandom::shared());
        let front = Front {
            verifier: Verifier::new(&key),
            clock: Arc::new(Still),
            random: SystemRandom::shared(),
            limits: Limits { body: 64, timeout: Duration::from_millis(50), ..Limits::default() },
        };
        let health = Health::default();
        health.check("always", || async { Ok(()) });
        Self { router: front.around(routes(), &health), key }
    }

    fn token(&self, role: Role) -> String {
        let identity = Identity { subject: "dr-a".to_owned(), role };
        let now = Still.now();
        auth::issue(&self.key, &identity, Uuid::nil(), now, now + TimeDelta::hours(1)).expect("a key signs")
    }

    async fn call(&self, request: axum::http::request::Builder, body: &'static str) -> (StatusCode, Value) {
        let request = request.header("x-request-id", "test").body(Body::from(body)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        assert_eq!(response.headers()["x-request-id"], "test");
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))))
    }

    fn as_clinician(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let token = self.token(Role::Clinician);
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"))
    }
}

fn routes() -> Routes {
    const CLINICIANS: &[Role] = &[Role::Clinician];
    Routes::new()
        .route("/who", CLINICIANS, get(async |identity: Identity| identity.subject))
        .route("/keyed", CLINICIANS, post(async |IdempotencyKey(key): IdempotencyKey| key))
        .route("/body", CLINICIANS, post(async |http::Body(body): http::Body<Vec<u8>>| Json(body)))
        .route("/slow", CLINICIANS, get(async || std::future::pending::<()>().await))
        .route("/panics", CLINICIANS, get(async || -> () { panic!("on purpose") }))
        .route("/trace", CLINICIANS, get(async || TraceContext::current().trace_id()))
}

#[tokio::test]
async fn a_guarded_route_answers_only_to_its_roles() {
    let house = House::new();
    let (status, body) = house.call(house.as_clinician(Method::GET, "/who"), "").await;
    assert_eq!((status, body), (StatusCode::OK, json!("dr-a")));
    let auditor = format!("bearer {}", house.token(Role::Auditor));
    let (status, body) = house.call(Request::get("/who").header("authorization", auditor), "").await;
    insta::assert_json_snapshot!("forbidden", json!([status.as_u16(), body]));
    let (status, body) = house.call(Request::get("/who"), "").await;
    insta::assert_json_snapshot!("nobody", json!([status.as_u16(), body]));
    for malformed in ["Basic eDp5", "Bearer", "Bearer x.y.z"] {
        let (status, _) = house.call(Request::get("/who").header("authorization", malformed), "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{malformed}");
    }
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let house = House::new();
    for (name, method, path, body) in [
        ("no route", Method::GET, "/nowhere", ""),
        ("no such method", Method::DELETE, "/who", ""),
        ("no key", Method::POST, "/keyed", ""),
        ("no json", Method::POST, "/body", "{"),
        ("too large", Method::POST, "/body", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"),
        ("too slow", Method::GET, "/slow", ""),
        ("panic", Method::GET, "/panics", ""),
    ] {
        let (status, body) = house.call(house.as_clinician(method, path), body).await;
        insta::assert_json_snapshot!(name, json!([status.as_u16(), body]));
    }
}

#[tokio::test]
async fn an_idempotency_key_is_short_and_visible() {
    let house = House::new();
    let long = "k".repeat(201);
    for (key, fits) in [("k-1", true), (&long[..200], true), ("", false), ("a b", false), (&long, false)] {
        let request = house.as_clinician(Method::POST, "/keyed").header("idempotency-key", key);
        let (status, _) = house.call(request, "").await;
        assert_eq!(status.is_success(), fits, "{key}");
    }
}

#[tokio::test]
async fn a_caller_s_trace_goes_on_inside() {
    let house = House::new();
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (_, body) = house.call(house.as_clinician(Method::GET, "/trace").header("traceparent", given), "").await;
    assert_eq!(body, "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn readiness_names_what_does_not_hold() {
    let key = SigningKey::generate(&*SystemRandom::shared());
    let front = Front {
        verifier: Verifier::new(&key),
        clock: SystemClock::shared(),
        random: SystemRandom::shared(),
        limits: Limits::default(),
    };
    let health = Health::default();
    health.check("database", || async { Err("no connection".to_owned()) });
    let router = front.around(Routes::new(), &health);
    let house = House { router, key };
    assert_eq!(house.call(Request::get("/healthz"), "").await.0, StatusCode::OK);
    let (status, body) = house.call(Request::get("/readyz"), "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, json!({ "ready": false, "checks": { "database": "no connection" } }));
}
