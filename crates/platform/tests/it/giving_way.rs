//! On SQLite one task writes for all: who waits for whom.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lasegue_contracts::Service;
use lasegue_platform::store::{Store, StoreError};
use lasegue_testkit::wait::within;
use tokio::sync::oneshot;

use crate::support::home;

/// A unit that waits for the writer, says when it begins, and ends when it is let go.
struct Held {
    begun: oneshot::Receiver<()>,
    let_go: oneshot::Sender<()>,
    committed: BoxFuture<'static, Result<(), StoreError>>,
}

impl Held {
    fn wait_in(store: &Store) -> Self {
        let (begins, begun) = oneshot::channel();
        let (let_go, gone) = oneshot::channel();
        let store = store.clone();
        let unit = async move {
            let held = store.commit(move |_| {
                Box::pin(async move {
                    let _ = begins.send(());
                    let _ = gone.await;
                    Ok(())
                })
            });
            held.await
        };
        let mut committed = unit.boxed();
        assert!((&mut committed).now_or_never().is_none(), "it waits");
        Self { begun, let_go, committed }
    }

    async fn begins(&mut self) {
        within("the unit begins", &mut self.begun).await.expect("it says so");
    }

    async fn commits(self) {
        drop(self.let_go);
        within("the unit commits", self.committed).await.expect("it commits");
    }
}

#[tokio::test]
async fn who_comes_while_a_background_unit_is_under_way_is_the_next_to_commit() {
    let home = home(Service::Intake).await;
    let mut busy = Held::wait_in(&home.store);
    busy.begins().await;
    let background = home.store.background();
    let [mut under_way, behind] = [(); 2].map(|()| Held::wait_in(&background));
    busy.commits().await;
    under_way.begins().await;
    let live = Held::wait_in(&home.store);
    drop(under_way.let_go);
    live.commits().await;
    assert!(under_way.committed.now_or_never().is_some(), "in the same commit");
    behind.commits().await;
}

#[tokio::test]
async fn a_background_unit_is_passed_over_by_one_commit_and_not_by_two() {
    let home = home(Service::Intake).await;
    let mut first = Held::wait_in(&home.store);
    first.begins().await;
    let mut background = Held::wait_in(&home.store.background());
    let mut second = Held::wait_in(&home.store);
    first.commits().await;
    background.begins().await;
    drop(background.let_go);
    second.begins().await;
    second.commits().await;
    within("it commits", background.committed).await.expect("it commits");
}
