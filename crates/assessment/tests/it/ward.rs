//! A ward: assessment at work, in one or two replicas, and the services that tell it things.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use lasegue_contracts::assessment::{AssessmentCompleted, RedFlagRaised};
use lasegue_contracts::event::Lane;
use lasegue_contracts::topology::ASSESSMENT_INTAKE;
use lasegue_contracts::{Envelope, Event, Service};
use lasegue_platform::auth::{Identity, Role, SigningKey, Verifier, issue};
use lasegue_platform::bus::{Bus, EmbeddedBus};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::http::{Front, Health, Limits};
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Migrations, Store, StoreError, dead_letters, outbox};
use lasegue_platform::{Base, Databases, Opened};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::containers::Postgres;
use lasegue_testkit::wait::eventually;
use sea_orm::prelude::*;
use sea_orm::{JsonValue, QueryOrder, Statement};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// When every test begins, unless it says so: half an hour after the last visit of most records.
const MORNING: &str = "2026-01-21T09:30:00Z";
/// How far the clock moves while a test waits, so that what is tried again is tried again.
const NUDGE: Duration = Duration::from_millis(50);

pub(crate) struct Ward {
    pub(crate) clock: ManualClock,
    pub(crate) bus: EmbeddedBus,
    /// Assessment's own database, looked at from outside.
    pub(crate) store: Store,
    intake: Store,
    alerting: Store,
    router: axum::Router,
    key: SigningKey,
    place: Place,
}

/// Where its databases are.
enum Place {
    Folder(TempDir),
    Server(Box<Postgres>),
}

/// The database that the server has from the start.
const DATABASE: &str = "lasegue";

impl Place {
    fn folder() -> Self {
        Self::Folder(tempfile::tempdir().expect("the system has a folder for temporary files"))
    }

    fn databases(&self) -> Databases {
        match self {
            Self::Folder(folder) => Databases::Folder(folder.path().to_owned()),
            Self::Server(server) => {
                let address = |service| (service, server.url(service, DATABASE).into());
                Databases::Postgres(Service::ALL.into_iter().map(address).collect())
            }
        }
    }

    /// Whether who opens a database there may have to ask again.
    const fn is_busy_at_times(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Where assessment's own is.
    fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::Sqlite(folder.path().join("assessment.sqlite")),
            Self::Server(server) => Location::Postgres(server.url(Service::Assessment, DATABASE)),
        }
    }
}

impl Ward {
    pub(crate) async fn open() -> Self {
        Self::with_replicas(1).await
    }

    pub(crate) async fn with_replicas(replicas: usize) -> Self {
        Self::at(Place::folder(), replicas).await
    }

    pub(crate) async fn on_postgres(replicas: usize) -> Self {
        Self::at(Place::Server(Box::new(Postgres::start().await)), replicas).await
    }

    async fn at(place: Place, replicas: usize) -> Self {
        let (clock, is_busy) = (ManualClock::at_text(MORNING), place.is_busy_at_times());
        let opening = Box::pin(Self::under(clock.clone(), place, replicas));
        if is_busy { clock.going_on(opening).await } else { opening.await }
    }

    /// Brings the database up to date and starts all replicas at once.
    async fn under(clock: ManualClock, place: Place, replicas: usize) -> Self {
        let bus = EmbeddedBus::new(Arc::new(clock.clone()));
        let base = || base(&place, &clock, &bus);
        let migrated = Store::migrate(Service::Assessment, &place.location(), lasegue_assessment::MIGRATIONS).await;
        migrated.expect("an empty place takes a new database");
        let started = join_all((0..replicas).map(|_| async { lasegue_assessment::start(&base()).await })).await;
        let routes = started.into_iter().map(|routes| routes.expect("no replica is in another's way"));
        let routes = routes.last().unwrap_or_default();
        let (intake, alerting) = (base(), base());
        let key = SigningKey::generate(&*SystemRandom::shared());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let random = SystemRandom::shared();
        let front = Front { verifier: Verifier::new(&key), clock: shared, random, limits: Limits::default() };
        Self {
            store: look_into(&place, &clock).await,
            intake: intake.open_store(Service::Intake, Migrations::NONE).await.expect("likewise"),
            alerting: alerting.open_store(Service::Alerting, Migrations::NONE).await.expect("likewise"),
            router: front.around(routes, &Health::default()),
            key,
            clock,
            bus,
            place,
        }
    }

    /// Starts one replica more, without an address: in a ward that has none yet, everything sent has waited for it.
    pub(crate) async fn wake(&self) {
        let started = lasegue_assessment::start(&base(&self.place, &self.clock, &self.bus)).await;
        started.expect("no replica is in another's way");
    }

    /// Waits until `count` events lie on the bus.
    pub(crate) async fn waiting(&self, count: u64) {
        eventually("all of it waits on the bus", || async {
            self.clock.advance(NUDGE);
            self.bus.lag(&ASSESSMENT_INTAKE).await == Ok(count)
        })
        .await;
    }

    /// Publishes an event as its sender would.
    pub(crate) async fn send<E: Event>(&self, lane: Lane, event: E) {
        let sender = if E::SENDER == Some(Service::Alerting) { &self.alerting } else { &self.intake };
        let episode = event.episode_id().parse().unwrap_or_default();
        let sent = sender
            .commit::<_, StoreError, _>(move |unit| Box::pin(async move { unit.publish(lane, episode, &event).await }));
        sent.await.expect("an outbox takes an event");
    }

    /// Waits until everything sent was dealt with.
    pub(crate) async fn settled(&self) {
        eventually("everything sent was dealt with", || async {
            self.clock.advance(NUDGE);
            let (intake, alerting) = (self.intake.reader(), self.alerting.reader());
            let owed = (outbox::count_owed(intake).await, outbox::count_owed(alerting).await);
            owed == (Ok(0), Ok(0))
        })
        .await;
    }

    /// Delivers everything that intake ever sent once more, as after a crash between a commit and its ack.
    pub(crate) async fn redeliver(&self) {
        let rows = outbox::Entity::find().all(self.intake.reader()).await.expect("readable");
        for row in rows {
            let envelope = Envelope {
                id: row.event_id,
                event_type: row.event_type,
                subject: row.subject,
                source: Service::Intake.name().to_owned(),
                time: row.created_at.to_rfc3339(),
                trace_parent: row.trace_parent,
                payload: row.payload.into(),
            };
            self.bus.publish(&envelope).await.expect("assessment acks");
        }
    }

    /// The events of one kind about an episode, in the order of their revisions, with their subjects.
    pub(crate) async fn told<E: Event>(&self, episode: Uuid) -> Vec<(String, E)> {
        let rows = outbox::Entity::find()
            .filter(outbox::Column::EventType.eq(E::TYPE))
            .filter(outbox::Column::Subject.ends_with(episode.to_string()))
            .order_by_asc(outbox::Column::Id);
        let rows = rows.all(self.store.reader()).await.expect("readable");
        rows.into_iter().map(|row| (row.subject, E::decode(&*row.payload).expect("an event"))).collect()
    }

    /// The types of all events about an episode, in the order in which they were written.
    pub(crate) async fn told_in_order(&self, episode: Uuid) -> Vec<String> {
        let rows = outbox::Entity::find().filter(outbox::Column::Subject.ends_with(episode.to_string()));
        let rows = rows.order_by_asc(outbox::Column::Id).all(self.store.reader()).await.expect("readable");
        rows.into_iter().map(|row| row.event_type).collect()
    }

    /// How many results of `episode` were written before the last red flag.
    pub(crate) async fn completed_before_the_last_red_flag(&self, episode: Uuid) -> usize {
        let rows = outbox::Entity::find().order_by_asc(outbox::Column::Id).all(self.store.reader()).await;
        let rows = rows.expect("readable");
        let last = rows.iter().rposition(|row| row.event_type == RedFlagRaised::TYPE).expect("a red flag");
        let of_episode = |row: &&outbox::Model| row.subject.ends_with(&episode.to_string());
        let completed = rows[..last].iter().filter(|row| row.event_type == AssessmentCompleted::TYPE);
        completed.filter(of_episode).count()
    }

    pub(crate) async fn red_flags(&self, episode: Uuid) -> Vec<RedFlagRaised> {
        self.told(episode).await.into_iter().map(|(_, event)| event).collect()
    }

    pub(crate) async fn completed(&self, episode: Uuid) -> Vec<AssessmentCompleted> {
        self.told(episode).await.into_iter().map(|(_, event)| event).collect()
    }

    /// Why messages were set aside.
    pub(crate) async fn set_aside(&self) -> Vec<String> {
        let letters = dead_letters::Entity::find().all(self.store.reader()).await.expect("readable");
        letters.into_iter().map(|letter| letter.reason).collect()
    }

    /// The pieces kept of an episode, in the order of their ids.
    pub(crate) async fn pieces(&self, episode: Uuid) -> Vec<JsonValue> {
        let sql = "SELECT body FROM pieces WHERE episode_id = ? ORDER BY id";
        let statement = Statement::from_sql_and_values(sea_orm::DbBackend::Sqlite, sql, [episode.into()]);
        let rows = self.store.reader().query_all_raw(statement).await.expect("readable");
        rows.into_iter().map(|row| row.try_get("", "body").expect("a body")).collect()
    }

    /// How many pieces of an episode each commit of it kept.
    pub(crate) async fn pieces_by_commit(&self, episode: Uuid) -> Vec<i64> {
        let sql = "SELECT count(*) AS kept FROM pieces WHERE episode_id = ? GROUP BY revision ORDER BY revision";
        let statement = Statement::from_sql_and_values(sea_orm::DbBackend::Sqlite, sql, [episode.into()]);
        let rows = self.store.reader().query_all_raw(statement).await.expect("readable");
        rows.into_iter().map(|row| row.try_get("", "kept").expect("a number")).collect()
    }

    /// Reads an episode's assessment, in a role.
    pub(crate) async fn get_as(&self, role: Role, episode: Uuid, query: &str) -> (StatusCode, JsonValue) {
        let path = format!("/episodes/{episode}/assessment{query}");
        self.call(("somebody", role), Method::GET, &path, String::new()).await
    }

    pub(crate) async fn get(&self, episode: Uuid, query: &str) -> (StatusCode, JsonValue) {
        self.get_as(Role::Clinician, episode, query).await
    }

    /// Calls the API as somebody in a role.
    pub(crate) async fn call(
        &self,
        (subject, role): (&str, Role),
        method: Method,
        path: &str,
        body: String,
    ) -> (StatusCode, JsonValue) {
        let now: DateTime<Utc> = self.clock.now();
        let identity = Identity { subject: subject.to_owned(), role };
        let token = issue(&self.key, &identity, Uuid::nil(), now, now + TimeDelta::days(1)).expect("a key signs");
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body))
            .expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("a router always answers");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 24).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

fn base(place: &Place, clock: &ManualClock, bus: &EmbeddedBus) -> Base {
    Base {
        bus: Arc::new(bus.clone()),
        clock: Arc::new(clock.clone()),
        random: SystemRandom::shared(),
        lifecycle: Lifecycle::new(SystemClock::shared()),
        databases: place.databases(),
        health: Health::default(),
        migrate: true,
        keys: std::sync::Arc::default(),
        restorable_for: lasegue_platform::store::RESTORABLE_FOR,
        opened: Opened::default(),
    }
}

async fn look_into(place: &Place, clock: &ManualClock) -> Store {
    let clock = Arc::new(clock.clone());
    let migrations = lasegue_assessment::MIGRATIONS;
    let location = place.location();
    let store = Store::open(Service::Assessment, &location, migrations, false, clock, SystemRandom::shared());
    store.await.expect("assessment has made its database")
}
