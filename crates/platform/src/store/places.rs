//! How many use the connections of a pool at once.
//!
//! Whoever finds no place waits for as long as others work, so that a burst is only slow. Once the server turned out to be
//! away or to take no writes, everybody who waits is told so with the first: none of them would fare better.

use std::sync::Arc;

use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::fault::Fault;

#[derive(Debug)]
pub(super) struct Places {
    free: Semaphore,
    away: Arc<Away>,
}

/// Tells those who wait that the server is away. Shared by all who use the same server.
#[derive(Debug)]
pub(super) struct Away(watch::Sender<()>);

impl Away {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(())))
    }
}

impl Places {
    pub(super) fn new(count: u32, away: &Arc<Away>) -> Self {
        Self { free: Semaphore::new(count as usize), away: away.clone() }
    }

    /// A place, for as long as what it gives is held.
    pub(super) async fn take(&self) -> Result<SemaphorePermit<'_>, DbErr> {
        let mut away = self.away.0.subscribe();
        tokio::select! {
            biased;
            place = self.free.acquire() => place.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            _ = away.changed() => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    /// Tells those who wait when `error` says that the server gives no connection or carries nothing out.
    pub(super) fn note(&self, error: &DbErr) {
        if matches!(error, DbErr::Conn(_)) || Fault::of(error) == Fault::Away {
            self.away.0.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_a_place_learns_with_the_first_that_the_server_is_away() {
        let places = Places::new(1, &Away::new());
        let held = places.take().await.expect("a place is free");
        let mut waiting = Box::pin(places.take());
        assert!((&mut waiting).now_or_never().is_none(), "it waits");
        places.note(&DbErr::Custom("a statement failed".to_owned()));
        assert!((&mut waiting).now_or_never().is_none(), "it waits still");
        places.note(&DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        assert!(waiting.await.is_err());
        drop(held);
        drop(places.take().await.expect("a place is free again"));
    }
}
