//! Dead letters over the real router: read, handled again, given up, and who did it.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use chrono::TimeDelta;
use lasegue_contracts::Envelope;
use lasegue_contracts::topology::ALERTING_VISITS;
use lasegue_platform::auth::{Identity, Role, SigningKey, Verifier, issue};
use lasegue_platform::bus::{Bus, EmbeddedBus};
use lasegue_platform::clock::Clock;
use lasegue_platform::consume::{Consuming, Handler, HandlerError};
use lasegue_platform::http::{Front, Health, Limits, dead_letters};
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Store, relay};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::wait::pause;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

use crate::failing::{Firing, open, overdue, send};
use crate::support::{Place, eventually};

/// Understands nothing as long as it is broken.
#[derive(Default)]
struct Strict {
    mended: AtomicBool,
    handled: Mutex<Vec<Uuid>>,
}

#[async_trait::async_trait]
impl Handler for Strict {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        if !self.mended.load(Ordering::SeqCst) {
            return Err(HandlerError::give_up("on purpose"));
        }
        self.handled.lock().expect("no test panics with it").push(envelope.id);
        Ok(())
    }
}

/// A service with dead letters, and somebody who looks after them.
struct Office {
    strict: Arc<Strict>,
    bus: EmbeddedBus,
    router: axum::Router,
    key: SigningKey,
    clock: ManualClock,
    store: Store,
    _place: Place,
    _stop: tokio_util::sync::DropGuard,
}

impl Office {
    async fn open(place: Place) -> Self {
        let (clock, store) = open(&place).await;
        let (bus, strict) = (EmbeddedBus::new(Arc::new(clock.clone())), Arc::new(Strict::default()));
        let (handler, over): (Arc<dyn Handler>, Arc<dyn Bus>) = (strict.clone(), Arc::new(bus.clone()));
        let stop = CancellationToken::new();
        let consuming = Consuming { consumer: &ALERTING_VISITS, handler, store: store.clone(), bus: over };
        tokio::spawn(consuming.run(stop.clone()));
        let key = SigningKey::generate(&*SystemRandom::shared());
        let (verifier, random) = (Verifier::new(&key), SystemRandom::shared());
        let front = Front { verifier, clock: Arc::new(clock.clone()), random, limits: Limits::default() };
        let router = front.around(dead_letters::routes(&store), &Health::default());
        Self { strict, bus, router, key, clock, store, _place: place, _stop: stop.drop_guard() }
    }

    async fn call(&self, role: Role, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let (now, subject) = (self.clock.now(), format!("{}-1", role.name()));
        let token = issue(&self.key, &Identity { subject, role }, Uuid::nil(), now, now + TimeDelta::hours(1));
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/dead-letters/alerting{path}"))
            .header("authorization", format!("Bearer {}", token.expect("a key signs")))
            .header("x-request-id", "test")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("a router always answers");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    async fn list(&self, query: &str) -> Value {
        self.call(Role::Operator, Method::GET, query, json!(null)).await.1
    }

    async fn show(&self, id: &str) -> Value {
        self.call(Role::System, Method::GET, &format!("/{id}"), json!(null)).await.1
    }

    async fn act(&self, id: &str, verb: &str, body: Value) -> (StatusCode, Value) {
        self.call(Role::Operator, Method::POST, &format!("/{id}/{verb}"), body).await
    }

    /// Sends an event that is set aside, and gives the id of its dead letter.
    async fn set_aside(&self, event: u128) -> String {
        send(&self.bus, Uuid::from_u128(event));
        let event = Uuid::from_u128(event).to_string();
        let found = |list: Value| {
            let letters = list["dead_letters"].as_array().cloned().unwrap_or_default();
            letters.into_iter().find(|letter| letter["event_id"] == event.as_str())
        };
        eventually("it was set aside", || async { found(self.list("").await).is_some() }).await;
        found(self.list("").await).expect("it is there")["id"].as_str().expect("an id").to_owned()
    }
}

pub(crate) async fn a_dead_letter_is_shown_with_its_bytes_and_handled_again_once_the_cause_is_mended(place: Place) {
    let office = Office::open(place).await;
    let id = office.set_aside(7).await;
    insta::assert_json_snapshot!("dead_letters_listed", office.list("").await);
    let (status, refusal) = office.act(&id, "replay", json!({})).await;
    assert_eq!((status, refusal["code"].as_str()), (StatusCode::CONFLICT, Some("still-failing")));
    office.strict.mended.store(true, Ordering::SeqCst);
    let (status, answer) = office.act(&id, "replay", json!({})).await;
    assert_eq!((status, answer["state"].as_str()), (StatusCode::OK, Some("replayed")));
    assert_eq!(*office.strict.handled.lock().expect("no test panics with it"), [Uuid::from_u128(7)]);
    assert_eq!(office.act(&id, "replay", json!({})).await.0, StatusCode::CONFLICT, "it is done with");
    assert_eq!(office.list("").await["dead_letters"], json!([]));
    insta::assert_json_snapshot!("dead_letter_shown", office.show(&id).await);
}

pub(crate) async fn a_dead_letter_that_was_given_up_stays_so_when_its_event_comes_again(place: Place) {
    let office = Office::open(place).await;
    let id = office.set_aside(7).await;
    let (status, _) = office.act(&id, "drop", json!({ "reason": " " })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, answer) = office.act(&id, "drop", json!({ "reason": "entered by hand" })).await;
    assert_eq!((status, answer["state"].as_str()), (StatusCode::OK, Some("dropped")));
    office.bus.publish(&overdue(Uuid::from_u128(7))).await.expect("it is done with");
    office.set_aside(8).await;
    assert_eq!(office.list("").await["dead_letters"].as_array().map(Vec::len), Some(1), "only the new one is open");
    let settled = office.list("?settled=true").await;
    assert_eq!(
        (&settled["dead_letters"][0]["id"], &settled["dead_letters"][0]["state"]),
        (&json!(id), &json!("dropped"))
    );
    let shown = office.show(&id).await;
    assert_eq!(shown["actions"][1]["outcome"], "entered by hand");
}

pub(crate) async fn a_timer_that_was_given_up_is_tried_no_more_until_it_is_set_anew_and_is_told_of_again(place: Place) {
    let office = Office::open(place).await;
    let firing = Firing::start(&office.store, &office.clock);
    for round in 1..=2 {
        firing.fails().await;
        let listed = office.list("").await;
        let id = listed["dead_letters"][0]["id"].as_str().expect("it is told of");
        let (status, _) = office.act(id, "drop", json!({ "reason": "done by hand" })).await;
        assert_eq!(status, StatusCode::OK);
        firing.goes_on(round * 10).await;
        let tries = firing.tries();
        for other in 1..=3 {
            firing.goes_on(round * 10 + other).await;
        }
        assert_eq!(firing.tries(), tries, "it was given up");
        assert_eq!(office.list("").await["dead_letters"], json!([]));
    }
}

pub(crate) async fn what_is_done_with_is_kept_for_ninety_days_and_what_is_open_for_ever(place: Place) {
    const DAY: Duration = Duration::from_hours(24);
    let office = Office::open(place).await;
    let (done, open) = (office.set_aside(7).await, office.set_aside(8).await);
    office.act(&done, "drop", json!({ "reason": "entered by hand" })).await;
    let stop = CancellationToken::new();
    let relaying = tokio::spawn(relay(office.store.clone(), Arc::new(office.bus.clone()), stop.clone()));
    let settled = async || office.list("?settled=true").await["dead_letters"].as_array().map(Vec::len);
    let pass = async |span: Duration| {
        for _ in 0..20 {
            office.clock.advance(span / 20);
            pause(Duration::from_millis(10)).await;
        }
    };
    pass(89 * DAY).await;
    assert_eq!(settled().await, Some(1), "somebody may still ask");
    pass(2 * DAY).await;
    eventually("it is gone", || async {
        office.clock.advance(Duration::from_secs(1));
        settled().await == Some(0)
    })
    .await;
    assert_eq!(office.list("").await["dead_letters"][0]["id"], open);
    stop.cancel();
    relaying.await.expect("it ends");
}

pub(crate) async fn dead_letters_come_in_pages_and_only_to_operators(place: Place) {
    let office = Office::open(place).await;
    let mut ids = Vec::new();
    for event in 1..=3 {
        ids.push(json!(office.set_aside(event).await));
        office.clock.advance(Duration::from_millis(1));
    }
    let first = office.list("?limit=2").await;
    let next = first["next"].as_str().expect("there is more");
    let second = office.list(&format!("?limit=2&after={next}")).await;
    let listed = [&first, &second].map(|page| page["dead_letters"].as_array().cloned().unwrap_or_default()).concat();
    assert_eq!(listed.iter().map(|letter| letter["id"].clone()).collect::<Vec<_>>(), ids);
    assert_eq!(second["next"], Value::Null);
    for role in [Role::Clinician, Role::Coordinator, Role::ProtocolOwner, Role::Auditor] {
        assert_eq!(office.call(role, Method::GET, "", json!(null)).await.0, StatusCode::FORBIDDEN, "{role:?}");
    }
}
