//! Who did what: each call leaves its row, rows are sealed in one chain, and no change of it goes unseen.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use chrono::TimeDelta;
use futures_util::future::join_all;
use lasegue_contracts::Service;
use lasegue_platform::audit::{Book, Break, Deed, Filter, KEPT_FOR, Mark, Row, Sealer};
use lasegue_platform::auth::{Identity, Role, SigningKey, Verifier, issue};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::http::{Front, Health, Limits, Routes};
use lasegue_platform::lifecycle::Lifecycle;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::signed::EventKeys;
use lasegue_platform::store::{Migrations, Store, StoreError};
use lasegue_platform::{Base, Databases};
use lasegue_testkit::clock::ManualClock;
use sea_orm::ConnectionTrait;
use serde_json::json;
use tower::ServiceExt;
use uuid::Uuid;

use crate::support::{Place, eventually};

const TOKEN: Uuid = Uuid::from_u128(7);
const CLINICIANS: &[Role] = &[Role::Clinician];

/// A service with a few routes, and its store.
struct House {
    place: Place,
    store: Store,
    router: axum::Router,
    key: SigningKey,
}

async fn change(State(store): State<Store>) -> StatusCode {
    let changed: Result<(), StoreError> = store
        .commit(|unit| {
            Box::pin(async move {
                let deed = Deed::about(Uuid::nil()).changing(&json!({ "a": 1 }), &json!({ "a": 2 }));
                unit.account(StatusCode::CREATED, deed).await
            })
        })
        .await;
    changed.map_or(StatusCode::INTERNAL_SERVER_ERROR, |()| StatusCode::CREATED)
}

impl House {
    async fn open(place: Place) -> Self {
        let store = place.open(Service::Intake).await;
        let offered = Routes::new()
            .route("/things/{id}", CLINICIANS, get(async || "x").post(change).with_state(store.clone()))
            .route("/slow", CLINICIANS, get(async || std::future::pending::<()>().await))
            .route("/panics", CLINICIANS, get(async || -> () { panic!("on purpose") }))
            .audited(&store)
            .public("/open", get(async || "x"));
        let key = SigningKey::generate(&*SystemRandom::shared());
        let limits = Limits { timeout: Duration::from_secs(2), ..Limits::default() };
        let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
        let front = Front { verifier: Verifier::new(&key), clock, random, limits };
        let router = front.around(offered, &Health::default());
        Self { place, store, router, key }
    }

    fn token(&self, role: Role) -> String {
        let (identity, now) = (Identity { subject: "dr-a".to_owned(), role }, SystemClock.now());
        issue(&self.key, &identity, TOKEN, now, now + TimeDelta::hours(1)).expect("a key signs")
    }

    async fn call(&self, method: Method, path: &str, token: Option<&str>) -> StatusCode {
        let request = Request::builder().method(method).uri(path).header("x-request-id", "test");
        let request = token
            .into_iter()
            .fold(request, |request, token| request.header("authorization", format!("Bearer {token}")));
        let request = request.body(Body::empty()).expect("a request");
        self.router.clone().oneshot(request).await.expect("it answers").status()
    }

    async fn book(&self) -> Book {
        Book::open(Service::Intake, &self.place.location(Service::Intake)).await.expect("it can be read")
    }

    async fn rows(&self) -> Vec<Row> {
        self.book().await.list(&Filter::default(), 10_000).await.expect("it can be read")
    }

    /// Makes calls that leave `count` rows.
    async fn fill(&self, count: usize) {
        let (token, wanted) = (self.token(Role::Clinician), self.rows().await.len() + count);
        join_all((0..count).map(|_| self.call(Method::GET, "/things/x", Some(&token)))).await;
        eventually("each has its row", || async { self.rows().await.len() == wanted }).await;
    }

    async fn sql(&self, text: &'static str) {
        let written = self.store.commit::<_, StoreError, _>(move |unit| {
            Box::pin(async move { Ok(unit.db().execute_unprepared(text).await.map(drop)?) })
        });
        written.await.expect("the statement runs");
    }

    async fn seal(&self, keys: &Arc<EventKeys>) -> Mark {
        Sealer::new(self.store.clone(), keys.clone()).seal().await.expect("it seals")
    }

    async fn broken(&self, keys: Option<&EventKeys>, noted: &[Mark]) -> Option<Break> {
        self.book().await.verify(keys, noted).await.expect("it can be read").broken
    }
}

/// The keys of intake's process.
fn keys() -> Arc<EventKeys> {
    let own: Vec<_> = Service::ALL.map(|service| (service, SigningKey::generate(&*SystemRandom::shared()))).into();
    let known = own.iter().map(|(service, key)| (*service, key.verifying())).collect();
    Arc::new(EventKeys::new(own.into_iter().collect(), &known).expect("each is known"))
}

pub(crate) async fn each_call_with_a_token_leaves_one_row_that_says_who_what_and_how_it_ended(place: Place) {
    let house = House::open(place).await;
    let (doctor, auditor) = (house.token(Role::Clinician), house.token(Role::Auditor));
    for (method, path, token, status) in [
        (Method::GET, "/things/1", &doctor, 200),
        (Method::POST, "/things/1", &doctor, 201),
        (Method::GET, "/things/1", &auditor, 403),
        (Method::DELETE, "/things/anna%20b", &doctor, 405),
        (Method::GET, "/panics", &doctor, 500),
        (Method::GET, "/slow", &doctor, 408),
        (Method::GET, "/open", &doctor, 200),
        (Method::GET, "/nowhere", &doctor, 404),
    ] {
        assert_eq!(house.call(method, path, Some(token)).await.as_u16(), status, "{path}");
    }
    eventually("broken off calls have rows, too", || async { house.rows().await.len() >= 6 }).await;
    let mut told: Vec<_> = house.rows().await;
    for row in &told {
        assert_eq!((row.subject.as_deref(), row.token, &*row.request), (Some("dr-a"), Some(TOKEN), "test"));
    }
    told.sort_by_key(|row| (row.route.clone(), row.method.clone(), row.status));
    let told: Vec<_> = told
        .iter()
        .map(|row| {
            let (status, reason) = (row.status.unwrap_or_default(), row.reason.as_deref().unwrap_or_default());
            format!("{} {} {} {status} {reason}", row.method, row.route, row.object)
        })
        .collect();
    assert_eq!(
        told,
        [
            "GET /panics  0 broken-off",
            "GET /slow  0 broken-off",
            "DELETE /things/{id} other 405 ",
            "GET /things/{id} 1 200 ",
            "GET /things/{id} 1 403 wrong-role",
            "POST /things/{id} 00000000-0000-0000-0000-000000000000 201 ",
        ]
    );
    let change = house.rows().await.into_iter().find_map(|row| row.change).expect("one changed something");
    assert_eq!(change, r#"{"/a":{"new":2,"old":1}}"#);
}

pub(crate) async fn however_many_tokens_are_forged_few_rows_are_left(place: Place) {
    let house = House::open(place).await;
    for _ in 0..1_500 {
        assert_eq!(house.call(Method::GET, "/things/1", Some("x.y.z")).await, StatusCode::UNAUTHORIZED);
    }
    house.call(Method::GET, "/things/1", None).await;
    let reasons = |rows: Vec<Row>| {
        let told = rows.into_iter().map(|row| (row.reason.unwrap_or_default(), row.times));
        let mut told: Vec<_> = told.collect();
        told.sort();
        told
    };
    let first = [("forged".to_owned(), 1), ("no-token".to_owned(), 1)];
    assert_eq!(reasons(house.rows().await), first);
}

pub(crate) async fn reading_goes_on_when_no_row_can_be_written(place: Place) {
    let house = House::open(place).await;
    house.sql("ALTER TABLE access RENAME TO gone").await;
    let token = house.token(Role::Clinician);
    assert_eq!(house.call(Method::GET, "/things/1", Some(&token)).await, StatusCode::OK);
    let failed = house.call(Method::POST, "/things/1", Some(&token)).await;
    assert_eq!(failed, StatusCode::INTERNAL_SERVER_ERROR, "what cannot be accounted for is not changed");
}

pub(crate) async fn two_replicas_that_seal_at_once_make_one_chain_without_a_gap(place: Place) {
    let (house, keys) = (House::open(place).await, keys());
    let other = house.place.open(Service::Intake).await;
    let mut sealers = [&house.store, &other].map(|store| Sealer::new(store.clone(), keys.clone()));
    for _ in 0..3 {
        house.fill(100).await;
        let [one, two] = &mut sealers;
        let (one, two) = tokio::join!(one.seal(), two.seal());
        one.expect("it seals");
        two.expect("it seals");
    }
    let verdict = house.book().await.verify(Some(&keys), &[]).await.expect("it can be read");
    assert_eq!((verdict.rows, verdict.unsealed, verdict.broken), (300, 0, None));
}

pub(crate) async fn what_a_process_left_unsealed_is_sealed_by_the_next(place: Place) {
    let (mut house, keys) = (House::open(place).await, keys());
    house.fill(3).await;
    let head = house.seal(&keys).await;
    house.fill(2).await;
    house.store.close().await;
    house.store = house.place.open(Service::Intake).await;
    assert_eq!(house.seal(&keys).await.number, 5);
    assert_eq!(house.broken(Some(&keys), &[head]).await, None);
}

/// Statements by which somebody covers something up, and what is found then.
const COVERED_UP: &[(&[&str], Break)] = &[
    (&["UPDATE access SET subject = 'dr-b' WHERE number = 3"], Break::Changed(3)),
    (&["DELETE FROM access WHERE number = 4"], Break::Missing(4)),
    (
        &[
            "UPDATE access SET number = -1 WHERE number = 2",
            "UPDATE access SET number = 2 WHERE number = 3",
            "UPDATE access SET number = 3 WHERE number = -1",
        ],
        Break::Changed(2),
    ),
    (&["DELETE FROM access WHERE number = 5"], Break::Missing(5)),
    (
        &[
            "DELETE FROM access WHERE number = 5",
            "UPDATE access_head SET number = 4, hash = (SELECT hash FROM access WHERE number = 4)",
        ],
        Break::Signature(4),
    ),
    (&["DELETE FROM access WHERE number = 1"], Break::Missing(1)),
    (
        &[
            "UPDATE access_head SET removed = 1, removed_hash = (SELECT hash FROM access WHERE number = 1)",
            "DELETE FROM access WHERE number = 1",
        ],
        Break::Signature(5),
    ),
    (&["UPDATE access_head SET signature = NULL"], Break::Signature(5)),
];

#[tokio::test]
async fn whatever_is_covered_up_without_the_key_is_found() {
    for (statements, found) in COVERED_UP {
        let (house, keys) = (House::open(Place::sqlite()).await, keys());
        house.fill(5).await;
        house.seal(&keys).await;
        assert_eq!(house.broken(Some(&keys), &[]).await, None);
        for statement in *statements {
            house.sql(statement).await;
        }
        assert_eq!(house.broken(Some(&keys), &[]).await.as_ref(), Some(found), "{statements:?}");
        house.fill(1).await;
        let goes_on = Sealer::new(house.store.clone(), keys.clone()).seal().await.is_ok();
        assert_eq!(goes_on, !matches!(found, Break::Signature(_)), "a head of somebody else is never built upon");
    }
}

/// Also by whoever has the key: a head in the log is out of their reach.
#[tokio::test]
async fn an_end_that_is_cut_off_shows_against_a_head_that_was_told() {
    let (house, keys) = (House::open(Place::sqlite()).await, keys());
    house.fill(3).await;
    let early = house.seal(&keys).await;
    let file = house.place.copy(Service::Intake);
    house.fill(2).await;
    let late = house.seal(&keys).await;
    house.store.close().await;
    house.place.put_back(Service::Intake, &file);
    assert_eq!(house.broken(Some(&keys), std::slice::from_ref(&early)).await, None);
    assert_eq!(house.broken(Some(&keys), &[late]).await, Some(Break::CutOff { end: 3, wanted: 5 }));
    let other = Mark { number: 2, ..early };
    assert_eq!(house.broken(Some(&keys), &[other]).await, Some(Break::Rewritten(2)));
}

/// The keeper of a process seals, and at the end of the process keeps the count of what was repeated.
#[tokio::test]
async fn a_process_that_ends_in_good_order_leaves_everything_sealed_and_what_is_ten_years_old_goes_from_the_front() {
    let place = Place::sqlite();
    let Place::Sqlite(folder) = &place else { unreachable!("it is one") };
    let (clock, keys) = (ManualClock::at_text("2026-01-21T09:00:00Z"), keys());
    let run = async |calls: usize| {
        let lifecycle = Lifecycle::new(SystemClock::shared());
        let base = Base {
            bus: Arc::new(lasegue_platform::bus::EmbeddedBus::new(Arc::new(clock.clone()))),
            clock: Arc::new(clock.clone()),
            keys: keys.clone(),
            random: SystemRandom::shared(),
            lifecycle: lifecycle.clone(),
            databases: Databases::Folder(folder.path().to_owned()),
            health: Health::default(),
            migrate: true,
            restorable_for: lasegue_platform::store::RESTORABLE_FOR,
            opened: lasegue_platform::Opened::default(),
        };
        let store = base.open_store(Service::Intake, Migrations::NONE).await.expect("it opens");
        let offered = Routes::new().route("/things/{id}", CLINICIANS, get(async || "x")).audited(&store);
        let key = SigningKey::generate(&*SystemRandom::shared());
        let (verifier, random) = (Verifier::new(&key), SystemRandom::shared());
        let front = Front { verifier, clock: Arc::new(clock.clone()), random, limits: Limits::default() };
        let router = front.around(offered, &Health::default());
        for _ in 0..calls {
            let request = Request::get("/things/1").header("authorization", "Bearer x.y.z").body(Body::empty());
            router.clone().oneshot(request.expect("a request")).await.expect("it answers");
        }
        assert!(lifecycle.drain(Duration::from_secs(10)).await);
    };
    run(1_500).await;
    let book = async || {
        let book = Book::open(Service::Intake, &place.location(Service::Intake)).await.expect("it can be read");
        let verdict = book.verify(Some(&keys), &[]).await.expect("it can be read");
        assert_eq!((verdict.unsealed, verdict.broken), (0, None));
        book.list(&Filter::default(), 100).await.expect("it can be read")
    };
    assert_eq!(book().await.iter().map(|row| row.times).collect::<Vec<_>>(), [1, 1_499]);
    clock.advance(KEPT_FOR.to_std().expect("it is positive") + Duration::from_secs(1));
    run(1).await;
    assert_eq!(book().await.iter().map(|row| row.number).collect::<Vec<_>>(), [Some(3)], "two were too old");
}
