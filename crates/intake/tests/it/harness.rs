//! A running intake under a clock that stands still, with seeded ids: the same calls give the same answers.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::TimeDelta;
use lasegue_contracts::{Event, Service};
use lasegue_intake::MIGRATIONS;
use lasegue_platform::auth::{Identity, Role, SigningKey, Verifier, issue};
use lasegue_platform::bus::EmbeddedBus;
use lasegue_platform::clock::Clock;
use lasegue_platform::http::{Front, Health, Limits};
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Store, StoreError, outbox};
use lasegue_platform::{Base, Databases, Opened};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::containers::Postgres;
use lasegue_testkit::random::SeededRandom;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tower::ServiceExt;
use uuid::Uuid;

/// What the clock shows.
pub(crate) const NOW: &str = "2026-01-21T09:00:00Z";

/// A running intake, and a second look at its database.
pub(crate) struct House {
    router: axum::Router,
    key: SigningKey,
    pub(crate) clock: ManualClock,
    database: Store,
    place: Place,
}

/// Where its database is.
#[derive(Clone)]
pub(crate) enum Place {
    Folder(Arc<TempDir>),
    Server(Arc<Postgres>, &'static str),
}

impl Place {
    pub(crate) fn folder() -> Self {
        Self::Folder(Arc::new(tempfile::tempdir().expect("the system has a folder for temporary files")))
    }

    /// Whether who opens a database there may have to ask again.
    const fn is_busy_at_times(&self) -> bool {
        matches!(self, Self::Server(..))
    }

    fn databases(&self) -> (Databases, Location) {
        match self {
            Self::Folder(folder) => {
                let file = folder.path().join("intake.sqlite");
                (Databases::Folder(folder.path().to_owned()), Location::Sqlite(file))
            }
            Self::Server(server, database) => {
                let url = server.url(Service::Intake, database);
                let addresses = [(Service::Intake, url.clone().into())].into();
                (Databases::Postgres(addresses), Location::Postgres(url))
            }
        }
    }
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn id(&self) -> Uuid {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
    }

    /// Status and body, for a snapshot.
    pub(crate) fn shown(&self) -> Value {
        json!([self.status.as_u16(), self.json()])
    }

    /// The pointers of all faults.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let faults = self.json()["faults"].as_array().cloned().unwrap_or_default();
        faults.iter().filter_map(|fault| fault["pointer"].as_str().map(str::to_owned)).collect()
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_in(Place::folder()).await
    }

    /// Opens the same once more, as after a crash.
    pub(crate) async fn open_again(&self) -> Self {
        Self::open_in(self.place.clone()).await
    }

    pub(crate) async fn open_in(place: Place) -> Self {
        let (clock, is_busy) = (ManualClock::at_text(NOW), place.is_busy_at_times());
        let opening = Box::pin(Self::under(clock.clone(), place));
        if is_busy { clock.going_on(opening).await } else { opening.await }
    }

    async fn under(clock: ManualClock, place: Place) -> Self {
        let (databases, location) = place.databases();
        let base = Base {
            bus: Arc::new(EmbeddedBus::new(Arc::new(clock.clone()))),
            clock: Arc::new(clock.clone()),
            random: Arc::new(SeededRandom::new(1)),
            lifecycle: Lifecycle::new(Arc::new(clock.clone())),
            databases,
            health: Health::default(),
            migrate: true,
            keys: std::sync::Arc::default(),
            restorable_for: lasegue_platform::store::RESTORABLE_FOR,
            opened: Opened::default(),
        };
        let routes = lasegue_intake::start(&base).await.expect("an empty folder takes a new database");
        let key = SigningKey::generate(&*SystemRandom::shared());
        let (verifier, random) = (Verifier::new(&key), SystemRandom::shared());
        let front = Front { verifier, clock: Arc::new(clock.clone()), random, limits: Limits::default() };
        let database = Store::open(Service::Intake, &location, MIGRATIONS, false, base.clock, base.random);
        let database = database.await.expect("it was just made");
        Self { router: front.around(routes, &base.health), key, clock, database, place }
    }

    /// Sends a request in the name of `dr-a`.
    pub(crate) async fn send(
        &self,
        role: Role,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        self.send_as("dr-a", role, method, path, headers, body).await
    }

    pub(crate) async fn send_as(
        &self,
        subject: &str,
        role: Role,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        self.send_raw(subject, role, method, &format!("/api/v1{path}"), headers, body).await
    }

    /// Sends to a whole address, however it is written.
    pub(crate) async fn send_to(
        &self,
        role: Role,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        self.send_raw("dr-a", role, method, address, headers, body).await
    }

    async fn send_raw(
        &self,
        subject: &str,
        role: Role,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let now = self.clock.now();
        let identity = Identity { subject: subject.to_owned(), role };
        let token = issue(&self.key, &identity, Uuid::nil(), now, now + TimeDelta::hours(1)).expect("a key signs");
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("authorization", format!("Bearer {token}")).header("x-request-id", "test");
        let request = request.body(body.into()).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 1 << 24).await.expect("a body");
        Answer { status, headers, text: String::from_utf8(bytes.to_vec()).expect("text") }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Role::Clinician, Method::GET, path, &[], Body::empty()).await
    }

    /// Registers the usual episode.
    pub(crate) async fn episode(&self) -> Uuid {
        self.register(&registration()).await.id()
    }

    pub(crate) async fn register(&self, body: &Value) -> Answer {
        self.send(Role::Clinician, Method::POST, "/episodes", &[], body.to_string()).await
    }

    pub(crate) async fn submit(&self, episode: Uuid, key: &str, body: &Value) -> Answer {
        self.submit_raw(episode, key, body.to_string()).await
    }

    /// Submits in another name than `dr-a`.
    pub(crate) async fn submit_as(&self, subject: &str, episode: Uuid, key: &str, body: &Value) -> Answer {
        let path = format!("/episodes/{episode}/submissions");
        let key = [("idempotency-key", key)];
        self.send_as(subject, Role::Clinician, Method::POST, &path, &key, body.to_string()).await
    }

    pub(crate) async fn submit_raw(&self, episode: Uuid, key: &str, body: impl Into<Body>) -> Answer {
        let path = format!("/episodes/{episode}/submissions");
        self.send(Role::Clinician, Method::POST, &path, &[("idempotency-key", key)], body).await
    }

    pub(crate) async fn adjudicate(&self, episode: Uuid, key: &str, body: &Value) -> Answer {
        let path = format!("/episodes/{episode}/adjudications");
        self.send(Role::Clinician, Method::POST, &path, &[("idempotency-key", key)], body.to_string()).await
    }

    /// The outcomes of an import.
    pub(crate) async fn import(&self, records: &[Value]) -> Vec<Value> {
        let lines: String = records.iter().map(|record| record.to_string() + "\n").collect();
        self.import_raw(lines).await
    }

    pub(crate) async fn import_raw(&self, lines: impl Into<Body>) -> Vec<Value> {
        let answer = self.send(Role::System, Method::POST, "/imports", &[], lines).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Keeps everybody else from writing into the database until what this gives is dropped.
    pub(crate) async fn keep_from_writing(&self) -> oneshot::Sender<()> {
        let (writing, over) = oneshot::channel();
        let (begins, begun) = oneshot::channel();
        let database = self.database.clone();
        tokio::spawn(async move {
            let unit = database.commit::<_, StoreError, _>(move |_| {
                Box::pin(async move {
                    let _ = begins.send(());
                    let _ = over.await;
                    Ok(())
                })
            });
            unit.await
        });
        begun.await.expect("nobody else writes now");
        writing
    }

    /// Where its database is, for looking at it from outside.
    pub(crate) fn location(&self) -> Location {
        self.place.databases().1
    }

    /// Nothing can be written into the file any more, as on a disk that is full.
    pub(crate) async fn refuse_writes(&self) {
        let unit = self.database.commit::<_, StoreError, _>(|unit| {
            Box::pin(async move {
                for table in ["access", "episodes"] {
                    let refuse = format!(
                        "CREATE TRIGGER no_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(FAIL, 'disk full'); END"
                    );
                    unit.db().execute_unprepared(&refuse).await?;
                }
                Ok(())
            })
        });
        unit.await.expect("nothing is refused yet");
    }

    /// How many rows `table` has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let reader = self.database.reader();
        let sql = format!("SELECT count(*) FROM {table}");
        let row = reader.query_one_raw(Statement::from_string(reader.get_database_backend(), sql)).await;
        row.expect("the table can be read").expect("a row").try_get_by_index(0).expect("a number")
    }

    /// Every event so far, in the order of the commits.
    pub(crate) async fn outbox(&self) -> Vec<outbox::Model> {
        let rows = outbox::Entity::find().order_by_asc(outbox::Column::Id);
        rows.all(self.database.reader()).await.expect("the outbox can be read")
    }

    /// The subjects of all events, without the episodes' ids.
    pub(crate) async fn subjects(&self) -> Vec<String> {
        let short = |row: outbox::Model| {
            let subject = row.subject.strip_prefix("lasegue.intake.v1.").expect("intake's own");
            subject.rsplit_once('.').expect("the episode comes last").0.to_owned()
        };
        self.outbox().await.into_iter().map(short).collect()
    }

    /// The events of one kind.
    pub(crate) async fn events<E: Event>(&self) -> Vec<E> {
        let rows = self.outbox().await;
        let rows = rows.iter().filter(|row| row.event_type == E::TYPE);
        rows.map(|row| E::decode(&*row.payload).expect("an event")).collect()
    }
}

/// A synthetic patient.
pub(crate) fn registration() -> Value {
    json!({
        "patient": { "id": "sender-patient-7", "birth_date": "1980-06-15", "sex": "female" },
        "episode": { "id": "sender-episode-1", "onset_date": "2026-01-01", "treatment_start": "2026-01-05" },
        "contact": { "name": "Testa Syntheta", "phone": "+44 20 7946 0000", "consent_to_messages": true },
        "clinic": "spine"
    })
}

/// A visit at which nothing is wrong.
pub(crate) fn calm(id: &str) -> Value {
    json!({
        "id": id,
        "assessed_at": "2026-01-20T10:00:00+01:00",
        "author": "clinician",
        "pain": { "leg": { "scale": "vas", "value": 40 }, "dermatomes": ["R-L5"] },
        "cauda_equina": { "saddle_sensation": "no" },
        "serious": { "temperature_c": 37.95 }
    })
}

/// A visit at which the patient reports numbness of the saddle area.
pub(crate) fn saddle(id: &str) -> Value {
    with(calm(id), "/cauda_equina/saddle_sensation", json!("yes"))
}

/// A whole record of the registered patient.
pub(crate) fn record(submissions: &[Value]) -> Value {
    let mut record = registration();
    record["format"] = json!("lasegue.record/1");
    record["submissions"] = json!(submissions);
    record
}

pub(crate) fn with(mut base: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer to a field");
    base.pointer_mut(parent).expect("the parent is there")[name] = value;
    base
}
