//! Intake in a folder of its own, at noon on 21 January 2026.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use chrono::TimeDelta;
use lasegue_contracts::topology::{ALERTING_REFUSALS, ASSESSMENT_INTAKE, ASSESSMENT_INTAKE_BULK, Consumer};
use lasegue_contracts::{Envelope, Event};
use lasegue_platform::auth::{self, Identity, Role, SigningKey, Verifier};
use lasegue_platform::bus::{Bus, EmbeddedBus};
use lasegue_platform::clock::Clock;
use lasegue_platform::http::{Front, Health, Limits};
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::{Base, Databases};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::random::SeededRandom;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// How long the bus must be quiet before a test believes that no event comes.
const QUIET: Duration = Duration::from_millis(150);

pub(crate) struct House {
    router: Router,
    key: SigningKey,
    bus: EmbeddedBus,
    pub(crate) clock: ManualClock,
    _folder: TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let clock = ManualClock::at_text("2026-01-21T12:00:00Z");
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let bus = EmbeddedBus::new(shared.clone());
        let random = Arc::new(SeededRandom::new(1));
        let base = Base {
            bus: Arc::new(bus.clone()),
            clock: shared.clone(),
            random: random.clone(),
            lifecycle: Lifecycle::new(shared.clone()),
            databases: Databases::Folder(folder.path().to_owned()),
            health: Health::default(),
            migrate: true,
        };
        let routes = lasegue_intake::start(&base).await.expect("an empty folder takes a database");
        let key = SigningKey::generate(&*random);
        let front = Front { verifier: Verifier::new(&key), clock: shared, random, limits: Limits::default() };
        Self { router: front.around(routes, &base.health), key, bus, clock, _folder: folder }
    }

    /// A call in a role, with a key unless it is empty.
    pub(crate) async fn call(&self, role: Role, method: Method, path: &str, key: &str, body: &[u8]) -> Answer {
        let now = self.clock.now();
        let identity = Identity { subject: format!("dr-{}", role.name()), role };
        let token = auth::issue(&self.key, &identity, Uuid::nil(), now, now + TimeDelta::hours(1)).expect("it signs");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("x-request-id", "test");
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Body::from(body.to_vec())).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 24).await.expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status, text }
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.call(Role::Clinician, Method::POST, path, key, body.to_string().as_bytes()).await
    }

    /// Registers the usual patient.
    pub(crate) async fn register(&self) -> String {
        let answer = self.post("/episodes", "", &registration()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn submit(&self, episode: &str, key: &str, body: &Value) -> Answer {
        self.post(&format!("/episodes/{episode}/submissions"), key, body).await
    }

    /// The live events for assessment that have arrived since the last call.
    pub(crate) async fn live(&self) -> Vec<Envelope> {
        self.arrived(&ASSESSMENT_INTAKE).await
    }

    pub(crate) async fn bulk(&self) -> Vec<Envelope> {
        self.arrived(&ASSESSMENT_INTAKE_BULK).await
    }

    pub(crate) async fn refusals(&self) -> Vec<Envelope> {
        self.arrived(&ALERTING_REFUSALS).await
    }

    async fn arrived(&self, consumer: &'static Consumer) -> Vec<Envelope> {
        let mut deliveries = self.bus.subscribe(consumer).await.expect("the bus is open");
        let mut events = Vec::new();
        while let Ok(Some(delivery)) = tokio::time::timeout(QUIET, deliveries.next()).await {
            events.push(delivery.message.envelope().expect("our own headers"));
            delivery.answer.ack().await.expect("the bus is open");
        }
        events
    }
}

/// What intake answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| json!(self.text))
    }

    /// Status and body, for a snapshot.
    pub(crate) fn shown(&self) -> Value {
        json!([self.status.as_u16(), self.json()])
    }

    /// The JSON pointers of a problem's faults, sorted.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let problem = self.json();
        let faults = problem["faults"].as_array().cloned().unwrap_or_default();
        let mut pointers: Vec<_> =
            faults.iter().filter_map(|fault| fault["pointer"].as_str()).map(str::to_owned).collect();
        pointers.sort();
        pointers
    }
}

/// The types of events, for comparing.
pub(crate) fn types(events: &[Envelope]) -> Vec<&str> {
    events.iter().filter_map(|event| event.event_type.rsplit('.').next()).collect()
}

pub(crate) fn open<E: Event>(envelope: &Envelope) -> E {
    envelope.open().expect("the event is of this type")
}

/// A body for registering.
pub(crate) fn registration() -> Value {
    json!({
        "patient": { "id": "mrn-1", "birth_date": "1980-06-15", "sex": "female" },
        "episode": {
            "id": "episode-1", "onset_date": "2025-12-18", "treatment_start": "2026-01-01", "time_zone": "Europe/London"
        },
        "contact": { "name": "Testa Syntheta", "email": "testa@example.org" },
        "clinic": "spine"
    })
}

/// A short, calm form from home.
pub(crate) fn form(id: &str) -> Value {
    json!({
        "id": id, "assessed_at": "2026-01-21T09:00:00Z", "author": "patient",
        "pain": { "leg": { "scale": "nrs", "value": 5 } },
        "cauda_equina": { "saddle_sensation": "no" }
    })
}

/// The same with numbness of the saddle area.
pub(crate) fn saddle_form(id: &str) -> Value {
    let mut form = form(id);
    form["cauda_equina"]["saddle_sensation"] = json!("yes");
    form
}

/// A whole record for import, with its only visit at `assessed_at`.
pub(crate) fn record(number: usize, assessed_at: &str) -> Value {
    let mut record = registration();
    record["format"] = json!("lasegue.record/1");
    record["patient"]["id"] = json!(format!("mrn-{number}"));
    record["submissions"] = json!([form("v1")]);
    record["submissions"][0]["assessed_at"] = json!(assessed_at);
    record
}
