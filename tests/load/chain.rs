//! What a page costs without any logic: a request in, commits and hops, a request out.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use lasegue_contracts::Service;
use lasegue_contracts::event::Lane;
use lasegue_contracts::scheduling::VisitDue;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Migrations, Store, StoreError};
use lasegue_testkit::pager::Pager;
use uuid::Uuid;

use crate::measure::{PATIENCE, now};

/// A bare chain that ends at a pager.
pub(crate) struct Chain {
    /// Where it begins.
    pub(crate) url: String,
    pub(crate) pager: Pager,
    pub(crate) http: reqwest::Client,
    /// What must live as long.
    pub(crate) _keep: Box<dyn Any>,
}

impl Chain {
    /// The times of `count` requests, one after the other.
    pub(crate) async fn measure(&self, count: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let before = self.pager.pages().len();
            let sent = now();
            self.http.post(&self.url).send().await.expect("the chain answers");
            let pages = self.pager.wait_for(PATIENCE, |pages| pages.len() > before).await.expect("the page arrives");
            times.push(pages[before].at - sent);
        }
        times
    }
}

pub(crate) async fn store(service: Service, location: Location) -> Store {
    let opened = Store::open(service, &location, Migrations::NONE, true, SystemClock::shared(), SystemRandom::shared());
    opened.await.expect("an empty place takes a database")
}

/// One row, in a commit of its own.
pub(crate) async fn commit(store: &Store) {
    store
        .commit::<_, StoreError, _>(|unit| {
            Box::pin(async move { unit.publish(Lane::Live, Uuid::nil(), &VisitDue::default()).await })
        })
        .await
        .expect("it commits");
}

/// Serves `router` on a port of its own, and says where.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let url = format!("http://{}/", listener.local_addr().expect("a bound socket has an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
