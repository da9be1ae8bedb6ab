//! Durable timers: fired when due, once, and again after a failure or a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lasegue_contracts::Service;
use lasegue_platform::consume::HandlerError;
use lasegue_platform::store::timers::{self, OnTimer, Timer};
use lasegue_platform::store::{Store, StoreError};
use lasegue_testkit::wait::pause;
use tokio_util::sync::CancellationToken;

use crate::support::{Place, eventually};

struct Count {
    store: Store,
    failures: AtomicUsize,
    fired: AtomicUsize,
}

#[async_trait]
impl OnTimer for Count {
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError> {
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(HandlerError::retry("on purpose"));
        }
        let timer = timer.clone();
        let claimed: bool = self
            .store
            .commit::<_, StoreError, _>(move |unit| Box::pin(async move { unit.claim_timer(&timer).await }))
            .await?;
        self.fired.fetch_add(usize::from(claimed), Ordering::SeqCst);
        Ok(())
    }
}

fn start(store: &Store, failures: usize) -> (Arc<Count>, CancellationToken) {
    let count = Arc::new(Count { store: store.clone(), failures: failures.into(), fired: AtomicUsize::new(0) });
    let stop = CancellationToken::new();
    tokio::spawn(timers::run(store.clone(), count.clone(), stop.clone()));
    (count, stop)
}

async fn set(store: &Store, key: &'static str, due_at: DateTime<Utc>) {
    store
        .commit::<_, StoreError, _>(move |unit| Box::pin(async move { unit.set_timer("test", key, due_at).await }))
        .await
        .expect("a timer can be set");
}

pub(crate) async fn a_timer_fires_once_when_due_even_with_two_replicas(place: Place) {
    let store = place.open(Service::Alerting).await;
    let (one, _stop_one) = start(&store, 0);
    let (two, _stop_two) = start(&store, 0);
    let now = store.clock().now();
    set(&store, "soon", now + Duration::from_millis(50)).await;
    set(&store, "never", now + Duration::from_hours(1)).await;
    let fired = || one.fired.load(Ordering::SeqCst) + two.fired.load(Ordering::SeqCst);
    eventually("the timer fired", || async { fired() == 1 }).await;
    pause(Duration::from_millis(50)).await;
    assert_eq!(fired(), 1);
}

pub(crate) async fn a_timer_whose_work_fails_is_tried_again_and_delays_no_other(place: Place) {
    let store = place.open(Service::Alerting).await;
    let past = store.clock().now() - Duration::from_secs(1);
    set(&store, "first", past).await;
    let (count, _stop) = start(&store, 1);
    set(&store, "second", past + Duration::from_millis(1)).await;
    eventually("both fired", || async { count.fired.load(Ordering::SeqCst) == 2 }).await;
}

pub(crate) async fn a_timer_outlives_the_process(place: Place) {
    let store = place.open(Service::Alerting).await;
    set(&store, "kept", store.clock().now()).await;
    store.close().await;
    let store = place.open(Service::Alerting).await;
    let (count, _stop) = start(&store, 0);
    eventually("it fired after the restart", || async { count.fired.load(Ordering::SeqCst) == 1 }).await;
}

pub(crate) async fn a_cancelled_or_moved_timer_does_not_fire_at_its_old_time(place: Place) {
    let store = place.open(Service::Alerting).await;
    let now = store.clock().now();
    set(&store, "cancelled", now + Duration::from_millis(30)).await;
    set(&store, "moved", now + Duration::from_millis(30)).await;
    store
        .commit::<_, StoreError, _>(move |unit| Box::pin(async move { unit.cancel_timer("test", "cancelled").await }))
        .await
        .expect("a timer can be cancelled");
    set(&store, "moved", now + Duration::from_hours(1)).await;
    let (count, _stop) = start(&store, 0);
    set(&store, "after both", now + Duration::from_millis(120)).await;
    eventually("the later one fired", || async { count.fired.load(Ordering::SeqCst) > 0 }).await;
    assert_eq!(count.fired.load(Ordering::SeqCst), 1);
}
