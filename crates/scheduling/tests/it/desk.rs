//! The coordinator's desk: scheduling at work, and an assessment service that tells it results.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use lasegue_contracts::assessment::{AssessmentCompleted, FindingSummary, NextVisit, Severity, Status};
use lasegue_contracts::event::Lane;
use lasegue_contracts::scheduling::{VisitDue, VisitOverdue, VisitPlanned};
use lasegue_contracts::{Envelope, Event, Service};
use lasegue_platform::auth::{Identity, Role, SigningKey, Verifier, issue};
use lasegue_platform::bus::EmbeddedBus;
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::http::{Front, Health, Limits};
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::timers;
use lasegue_platform::store::{Location, Migrations, Store, StoreError, dead_letters, outbox};
use lasegue_platform::wire::{instant, timestamp};
use lasegue_platform::{Base, Databases, Opened};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::wait::eventually;
use prost::Message;
use sea_orm::JsonValue;
use sea_orm::prelude::*;
use tempfile::TempDir;
use tower::ServiceExt;

/// When every test begins.
const MORNING: &str = "2026-02-01T12:00:00Z";
/// The day of every assessed visit, unless a test says so.
const VISIT: &str = "2026-02-01T09:00:00Z";

pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    folder: Arc<TempDir>,
    base: Base,
    assessment: Store,
    /// Scheduling's own database, looked at from outside.
    store: Store,
    router: axum::Router,
    key: SigningKey,
    /// What was told so far, by its row: an outbox forgets after a day.
    told: Mutex<BTreeMap<i64, outbox::Model>>,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("the system has a folder for temporary files"));
        Self::start(folder, ManualClock::at_text(MORNING)).await
    }

    /// Ends the process, lets `away` pass and starts another on the same data.
    pub(crate) async fn restart_after(self, away: Duration) -> Self {
        assert!(self.base.lifecycle.drain(Duration::from_secs(10)).await, "the process drains");
        self.store.close().await;
        self.clock.advance(away);
        Self { told: self.told, ..Self::start(self.folder, self.clock).await }
    }

    async fn start(folder: Arc<TempDir>, clock: ManualClock) -> Self {
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let base = Base {
            bus: Arc::new(EmbeddedBus::new(shared.clone())),
            clock: shared.clone(),
            random: SystemRandom::shared(),
            lifecycle: Lifecycle::new(SystemClock::shared()),
            databases: Databases::Folder(folder.path().to_owned()),
            health: Health::default(),
            migrate: true,
            keys: std::sync::Arc::default(),
            restorable_for: lasegue_platform::store::RESTORABLE_FOR,
            opened: Opened::default(),
        };
        let routes = lasegue_scheduling::start(&base).await.expect("an empty folder takes a new database");
        let key = SigningKey::generate(&*SystemRandom::shared());
        let random = SystemRandom::shared();
        let front = Front { verifier: Verifier::new(&key), clock: shared, random, limits: Limits::default() };
        Self {
            assessment: base.open_store(Service::Assessment, Migrations::NONE).await.expect("likewise"),
            store: look_into(&folder, &clock).await,
            router: front.around(routes, &Health::default()),
            key,
            told: Mutex::default(),
            clock,
            folder,
            base,
        }
    }

    /// Publishes a result as assessment would, and waits until it was dealt with.
    pub(crate) async fn tell(&self, lane: Lane, event: AssessmentCompleted) {
        let episode = event.episode_id.parse().unwrap_or_default();
        let sent = self
            .assessment
            .commit::<_, StoreError, _>(move |unit| Box::pin(async move { unit.publish(lane, episode, &event).await }));
        sent.await.expect("an outbox takes an event");
        self.settled().await;
    }

    /// Delivers everything that assessment ever sent once more.
    pub(crate) async fn redeliver(&self) {
        for row in outbox::Entity::find().all(self.assessment.reader()).await.expect("readable") {
            let envelope = Envelope {
                id: row.event_id,
                event_type: row.event_type,
                subject: row.subject,
                source: Service::Assessment.name().to_owned(),
                time: row.created_at.to_rfc3339(),
                trace_parent: row.trace_parent,
                payload: row.payload.into(),
            };
            self.base.bus.publish(&envelope).await.expect("scheduling acks");
        }
    }

    /// Moves the clock and waits until everything that fell due is done.
    pub(crate) async fn pass(&self, span: Duration) {
        self.clock.advance(span);
        self.settled().await;
    }

    async fn settled(&self) {
        eventually("no event and no timer is due", || async {
            let owed = outbox::count_owed(self.assessment.reader()).await.expect("readable");
            let due = timers::Entity::find().filter(timers::Column::DueAt.lte(self.clock.now()));
            owed == 0 && due.count(self.store.reader()).await.expect("readable") == 0
        })
        .await;
        let rows = outbox::Entity::find().all(self.store.reader()).await.expect("readable");
        self.told.lock().expect("no test panics here").extend(rows.into_iter().map(|row| (row.id, row)));
    }

    /// What was told about an episode, in order, one short line each.
    pub(crate) fn told(&self, episode: Uuid) -> Vec<String> {
        let told = self.told.lock().expect("no test panics here");
        told.values().filter(|row| row.subject.ends_with(&episode.to_string())).map(line).collect()
    }

    pub(crate) async fn set_aside(&self) -> Vec<String> {
        let letters = dead_letters::Entity::find().all(self.store.reader()).await.expect("readable");
        letters.into_iter().map(|letter| letter.reason).collect()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, JsonValue) {
        self.get_as(Role::Coordinator, path).await
    }

    pub(crate) async fn get_as(&self, role: Role, path: &str) -> (StatusCode, JsonValue) {
        let now = self.clock.now();
        let identity = Identity { subject: "somebody".to_owned(), role };
        let token = issue(&self.key, &identity, Uuid::nil(), now, now + TimeDelta::days(1)).expect("a key signs");
        let request = Request::get(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("a router always answers");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    pub(crate) async fn schedule(&self, episode: Uuid) -> JsonValue {
        let (status, body) = self.get(&format!("/episodes/{episode}/schedule")).await;
        assert_eq!(status, StatusCode::OK);
        body
    }
}

async fn look_into(folder: &TempDir, clock: &ManualClock) -> Store {
    let location = Location::Sqlite(folder.path().join("scheduling.sqlite"));
    let (clock, random) = (Arc::new(clock.clone()), SystemRandom::shared());
    let store = Store::open(Service::Scheduling, &location, lasegue_scheduling::MIGRATIONS, false, clock, random).await;
    store.expect("scheduling has made its database")
}

fn line(row: &outbox::Model) -> String {
    let days = |earliest: Option<String>, latest: Option<String>| {
        earliest.zip(latest).map_or_else(|| "never".to_owned(), |(earliest, latest)| format!("{earliest}/{latest}"))
    };
    let at = |at: Option<prost_types::Timestamp>| {
        let at = instant("at", at.as_ref()).expect("an instant");
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    assert!(!row.subject.contains(".bulk."), "no stream takes {}", row.subject);
    if row.event_type == VisitPlanned::TYPE {
        let event = VisitPlanned::decode(&*row.payload).expect("an event");
        format!("{} planned {} {}", event.revision, event.kind, days(event.earliest, event.latest))
    } else if row.event_type == VisitDue::TYPE {
        let event = VisitDue::decode(&*row.payload).expect("an event");
        format!("{} due {} {}", event.revision, event.kind, at(event.at))
    } else {
        assert_eq!(row.event_type, VisitOverdue::TYPE);
        let event = VisitOverdue::decode(&*row.payload).expect("an event");
        format!("{} overdue {} {}", event.revision, event.kind, at(event.at))
    }
}

pub(crate) fn episode(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A result without grave findings, and a visit planned between two days in London.
pub(crate) fn result(episode: Uuid, revision: u64, kind: &str, days: Option<(&str, &str)>) -> AssessmentCompleted {
    AssessmentCompleted {
        episode_id: episode.to_string(),
        revision,
        submission_id: Uuid::nil().to_string(),
        assessed_at: Some(timestamp(VISIT.parse().expect("an instant"))),
        time_zone: "Europe/London".to_owned(),
        next_visit: Some(NextVisit {
            kind: kind.to_owned(),
            earliest: days.map(|(earliest, _)| earliest.to_owned()),
            latest: days.map(|(_, latest)| latest.to_owned()),
        }),
        ..AssessmentCompleted::default()
    }
}

pub(crate) fn finding(code: &str, severity: Severity, status: Status) -> FindingSummary {
    FindingSummary { code: code.to_owned(), side: "left".to_owned(), severity: severity.into(), status: status.into() }
}
