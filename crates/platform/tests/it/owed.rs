//! What waits too long for the bus shows itself, and an operator is told once.

use std::sync::Arc;
use std::time::Duration;

use lasegue_contracts::assessment::RedFlagRaised;
use lasegue_contracts::event::Lane;
use lasegue_contracts::platform::EventsHeldUp;
use lasegue_contracts::scheduling::{VisitDue, VisitOverdue};
use lasegue_contracts::{Event, Service};
use lasegue_platform::clock::Clock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{self, Late, Migrations, Store, StoreError, outbox};
use lasegue_platform::telemetry;
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::wait::pause;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::metrics;
use crate::support::Place;

/// A service whose outbox nobody relays, and somebody who watches it.
struct Watched {
    _place: Place,
    clock: ManualClock,
    store: Store,
    late: watch::Receiver<Late>,
}

impl Watched {
    async fn start() -> Self {
        Self::of(Service::Scheduling).await
    }

    async fn of(service: Service) -> Self {
        let (place, clock) = (Place::sqlite(), ManualClock::at_text("2026-01-21T09:00:00Z"));
        let random = SystemRandom::shared();
        let location = place.location(service);
        let store = Store::open(service, &location, Migrations::NONE, true, Arc::new(clock.clone()), random).await;
        let store = store.expect("an empty place takes a new database");
        let (shown, late) = watch::channel(Late::default());
        tokio::spawn(store::watch_owed(store.clone(), shown, CancellationToken::new()));
        Self { _place: place, clock, store, late }
    }

    async fn publish<E: Event>(&self, lane: Lane, event: E) {
        let published: Result<(), StoreError> = self
            .store
            .commit(move |unit| Box::pin(async move { unit.publish(lane, Uuid::from_u128(1), &event).await }))
            .await;
        published.expect("the outbox takes an event");
    }

    /// The bus has taken everything, and nobody has said to have handled it.
    async fn all_is_taken(&self) {
        let now = self.clock.now();
        let taken: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    let taken = outbox::Entity::update_many().col_expr(outbox::Column::PublishedAt, Expr::value(now));
                    taken.exec(unit.db()).await?;
                    Ok(())
                })
            })
            .await;
        taken.expect("the outbox can be written");
    }

    /// Lets so many seconds pass, a few at a time, as a clock does.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            pause(Duration::from_millis(20)).await;
        }
    }

    fn late(&self) -> [bool; 2] {
        let late = *self.late.borrow();
        [late.owed.is_some(), late.unheard.is_some()]
    }

    async fn told(&self) -> u64 {
        let told = outbox::Entity::find().filter(outbox::Column::EventType.eq(EventsHeldUp::TYPE));
        told.count(self.store.reader()).await.expect("readable")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_live_and_waits_for_half_a_minute_shows_itself_and_is_told_once() {
    telemetry::start_metrics().expect("the buckets are buckets");
    let watched = Watched::start().await;
    watched.publish(Lane::Live, VisitOverdue::default()).await;
    watched.pass(20).await;
    assert_eq!(watched.late(), [false, false], "it may still leave");
    watched.pass(30).await;
    assert_eq!(watched.late(), [true, true]);
    let gauges = metrics::shown().await;
    let waits = |lane: &str| {
        let name = format!("outbox_oldest_seconds{{service=\"scheduling\",lane=\"{lane}\"}} ");
        let told = gauges.lines().find_map(|line| line.strip_prefix(&name));
        told.and_then(|seconds| seconds.parse::<f64>().ok()).unwrap_or(-1.0)
    };
    assert!(waits("live") >= 30.0 && waits("red-flag").abs() < 1e-9, "{gauges}");
    watched.pass(30).await;
    assert_eq!(watched.told().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_flag_that_the_bus_has_and_its_reader_has_not_shows_itself() {
    let watched = Watched::of(Service::Assessment).await;
    watched.publish(Lane::Live, RedFlagRaised::default()).await;
    watched.all_is_taken().await;
    watched.pass(50).await;
    assert_eq!(watched.late(), [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reads_is_owed_to_the_bus_alone() {
    let watched = Watched::start().await;
    watched.publish(Lane::Live, VisitDue::default()).await;
    watched.pass(50).await;
    assert_eq!(watched.late(), [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_may_wait() {
    let watched = Watched::start().await;
    watched.publish(Lane::Bulk, VisitOverdue::default()).await;
    watched.pass(60).await;
    assert_eq!(watched.late(), [false, false]);
    assert_eq!(watched.told().await, 0);
}
