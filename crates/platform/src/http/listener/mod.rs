//! The listener: takes connections in, and lets nobody who only waits keep others out.
//!
//! A connection without a request under way ends after a while, and at once when its place is needed. When every place has
//! a request under way, a few are left for health and submissions. Whoever sends or takes too slowly is cut off; of a body
//! that is cut off the service sees what came, as of one that broke off.

mod activity;
mod answer;
mod connection;
mod paced;
mod places;
mod socket;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) use self::answer::{Arrived, urgent};
#[cfg(test)]
pub(super) use self::paced::Pace;
use self::places::Places;
pub use self::places::Rooms;
use crate::clock::SharedClock;

/// The pause after a connection could not be taken in.
const AFTER_FAILURE: Duration = Duration::from_millis(10);
/// How often it is said at most that there is no room.
const SAID_EVERY: TimeDelta = TimeDelta::seconds(10);

/// Serves until `stop`, then finishes the requests under way.
pub async fn serve(listener: TcpListener, router: Router, rooms: Rooms, clock: SharedClock, stop: CancellationToken) {
    let mut door = Door {
        places: Arc::new(Places::new(rooms)),
        may_listen: rooms.may_listen,
        router,
        clock,
        tasks: TaskTracker::new(),
        stop: stop.clone(),
        said: None,
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, from)) => door.take_in(socket, from.ip().to_canonical()),
                Err(error) => door.cannot_accept(&error).await,
            }
        }
    }
    drop(listener);
    door.tasks.close();
    door.tasks.wait().await;
}

/// Where connections come in.
struct Door {
    places: Arc<Places>,
    may_listen: bool,
    router: Router,
    clock: SharedClock,
    tasks: TaskTracker,
    stop: CancellationToken,
    said: Option<DateTime<Utc>>,
}

impl Door {
    fn take_in(&mut self, socket: TcpStream, peer: IpAddr) {
        let Some(place) = self.places.take(self.clock.now()) else {
            metrics::counter!("http_connections_refused_total").increment(1);
            self.say("every connection has a request under way: a new one was refused");
            return;
        };
        let (router, clock, stop) = (self.router.clone(), self.clock.clone(), self.stop.clone());
        self.tasks.spawn(connection::attend((socket, peer), place, (router, self.may_listen), clock, stop));
    }

    /// Most often the process has no file left: whoever waits makes room.
    async fn cannot_accept(&mut self, error: &io::Error) {
        let passing = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset];
        if passing.contains(&error.kind()) {
            return;
        }
        self.places.end_who_waited_longest(self.clock.now());
        self.say(&format!("a connection could not be taken in: {error}"));
        self.clock.sleep(AFTER_FAILURE).await;
    }

    fn say(&mut self, what: &str) {
        let now = self.clock.now();
        if self.said.is_none_or(|said| now - said >= SAID_EVERY) {
            self.said = Some(now);
            tracing::warn!(most = self.places.rooms().most, "{what}");
        }
    }
}
