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

#[derive(serde::Deserialize)]
struct When {
    at: http::Instant,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    note: String,
}

fn routes() -> Routes {
    const CLINICIANS: &[Role] = &[Role::Clinician];
    Routes::new()
        .route("/who", CLINICIANS, get(async |identity: Identity| identity.subject))
        .route("/keyed", CLINICIANS, post(async |IdempotencyKey(key): IdempotencyKey| key))
        .route("/body", CLINICIANS, post(async |http::Body(body): http::Body<Vec<u8>>| Json(body)))
        .route("/note", CLINICIANS, post(async |http::Body(note): http::Body<Note>| note.note))
        .route("/when", CLINICIANS, get(async |http::Query(when): http::Query<When>| when.at.0.to_string()))
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
async fn a_body_or_query_that_is_not_understood_is_told_by_its_field() {
    let house = House::new();
    for (body, pointer, reason) in [
        ("", "", "is empty; send a JSON object"),
        ("{}", "/note", "is required"),
        (r#"{"note":"a","note/2":1}"#, "/note~12", "is no field of this body"),
    ] {
        let (status, told) = house.call(house.as_clinician(Method::POST, "/note"), body).await;
        let fault = &told["faults"][0];
        assert_eq!((status, &fault["pointer"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(pointer)), "{told}");
        assert!(fault["reason"].as_str().is_some_and(|told| told.starts_with(reason)), "{told}");
    }
    let (status, told) = house.call(house.as_clinician(Method::GET, "/when?at=soon"), "").await;
    let detail = told["detail"].as_str().unwrap_or_default();
    assert!(status == StatusCode::BAD_REQUEST && detail.starts_with("The query behind the `?`"), "{told}");
    assert!(detail.contains("at: it must be an instant"), "{told}");
}

#[tokio::test]
async fn an_address_with_a_nul_character_is_refused_whatever_it_leads_to() {
    let house = House::new();
    for path in ["/who%00", "/%00", "/who?a=%00"] {
        let (status, body) = house.call(house.as_clinician(Method::GET, path), "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {body}");
    }
}

#[tokio::test]
async fn a_plus_before_the_offset_of_an_instant_is_understood() {
    let house = House::new();
    for (query, status) in [
        ("at=2026-01-21T10:00:00+01:00", StatusCode::OK),
        ("at=2026-01-21T10:00:00%2B01:00", StatusCode::OK),
        ("at=2026-01-21T09:00:00Z", StatusCode::OK),
        ("at=tomorrow", StatusCode::BAD_REQUEST),
        ("at=-262143-01-01T00:00:00Z", StatusCode::BAD_REQUEST),
        ("at=2201-01-01T00:00:00Z", StatusCode::BAD_REQUEST),
    ] {
        let (told, body) = house.call(house.as_clinician(Method::GET, &format!("/when?{query}")), "").await;
        assert_eq!(told, status, "{query}: {body}");
        let says = if status == StatusCode::OK {
            "2026-01-21 09:00:00 UTC"
        } else {
            "must be an instant of the years 1900 to 2200"
        };
        assert!(body.to_string().contains(says), "{query}: {body}");
    }
}

#[tokio::test]
async fn every_answer_bears_what_keeps_a_browser_safe() {
    let house = House::new();
    for path in ["/who", "/healthz", "/nowhere"] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let headers = house.router.clone().oneshot(request).await.expect("the router never fails").headers().clone();
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")]
        {
            assert_eq!(headers[name], value, "{path}");
        }
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
    health.check("bus", std::future::pending);
    let router = front.around(Routes::new(), &health);
    let house = House { router, key };
    assert_eq!(house.call(Request::get("/healthz"), "").await.0, StatusCode::OK);
    let (status, body) = house.call(Request::get("/readyz"), "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body,
        json!({ "ready": false, "checks": { "bus": "it does not answer within 3 s", "database": "no connection" } })
    );
}
