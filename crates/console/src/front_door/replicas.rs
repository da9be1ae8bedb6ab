//! The replicas of a service: the addresses that its name has now, in turn, those that failed of late last.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::remote::Remote;
use super::way::now;

/// How long the addresses of a name are believed. A failure ends it at once.
const BELIEVED: Duration = Duration::from_secs(2);
/// How long a look-up may take; the addresses known before serve until it succeeds.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(2);
/// How long a replica that failed is asked last.
const AVOIDED: Duration = Duration::from_secs(10);

/// Finds the addresses of a name.
#[derive(Clone)]
pub(super) struct Lookup(pub(super) Arc<Find>);

type Find = dyn Fn(String, u16) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync;

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// As the system finds them.
pub(super) fn system() -> Lookup {
    Lookup(Arc::new(|host, port| Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })))
}

/// The replicas behind one name.
#[derive(Debug)]
pub(super) struct Replicas {
    remote: Remote,
    lookup: Lookup,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<SocketAddr>,
    since: Option<Instant>,
    failed: BTreeMap<SocketAddr, Instant>,
    turn: usize,
}

impl Replicas {
    pub(super) fn new(remote: Remote, lookup: Lookup) -> Self {
        Self { remote, lookup, known: Mutex::default() }
    }

    /// Every address, in the order in which they should be asked now.
    pub(super) async fn in_turn(&self) -> Vec<SocketAddr> {
        if self.lock().since.is_none_or(|since| now() - since > BELIEVED) {
            self.look_up().await;
        }
        self.lock().in_turn(now())
    }

    /// `address` gave no answer: others go before it, and the name is looked up again.
    pub(super) fn failed(&self, address: SocketAddr) {
        let mut known = self.lock();
        known.since = None;
        known.failed.insert(address, now());
    }

    /// `address` answered.
    pub(super) fn answered(&self, address: SocketAddr) {
        self.lock().failed.remove(&address);
    }

    async fn look_up(&self) {
        let looked_up = (self.lookup.0)(self.remote.host().to_owned(), self.remote.port());
        let found = timeout(LOOK_UP_WITHIN, looked_up).await;
        let mut known = self.lock();
        match found {
            Ok(Ok(addresses)) if !addresses.is_empty() => {
                known.failed.retain(|address, _| addresses.contains(address));
                known.addresses = addresses;
                known.since = Some(now());
            }
            Ok(Ok(_)) | Err(_) => tracing::warn!(host = self.remote.host(), "a service's name leads to no address"),
            Ok(Err(error)) => {
                tracing::warn!(
                    host = self.remote.host(),
                    error = lasegue_platform::chain(&error),
                    "a service's name cannot be looked up"
                );
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn in_turn(&mut self, now: Instant) -> Vec<SocketAddr> {
        self.failed.retain(|_, since| now - *since < AVOIDED);
        let mut addresses = self.addresses.clone();
        if !addresses.is_empty() {
            self.turn = (self.turn + 1) % addresses.len();
            addresses.rotate_left(self.turn);
        }
        addresses.sort_by_key(|address| self.failed.contains_key(address));
        addresses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ports: &[u16]) -> Known {
        Known { addresses: ports.iter().map(|port| ([127, 0, 0, 1], *port).into()).collect(), ..Known::default() }
    }

    fn first(known: &mut Known, at: Instant) -> u16 {
        known.in_turn(at).first().map_or(0, SocketAddr::port)
    }

    #[test]
    fn replicas_take_turns_and_one_that_failed_of_late_comes_last() {
        let (mut known, start) = (known(&[1, 2, 3]), now());
        let firsts: Vec<_> = (0..6).map(|_| first(&mut known, start)).collect();
        assert_eq!(firsts, [2, 3, 1, 2, 3, 1]);
        known.failed.insert(([127, 0, 0, 1], 2).into(), start);
        assert!((0..6).all(|_| known.in_turn(start).last().is_some_and(|last| last.port() == 2)));
        assert!((0..6).any(|_| first(&mut known, start + AVOIDED) == 2));
    }
}
