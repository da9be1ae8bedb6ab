//! The places for connections: fewer than the files that the process may open, and some for what is urgent alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::activity::Activity;

/// The most connections, however many files there may be.
const MOST: usize = 4_096;
/// The fewest, however few files there may be.
const FEWEST: usize = 16;
/// Files that are not for connections: those of the databases, and what goes out besides.
const OTHERS: usize = 64;
/// One in so many is kept for what is urgent.
const KEPT: usize = 8;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rooms {
    /// For every request.
    pub most: usize,
    /// Besides, for health and submissions alone.
    pub kept: usize,
    /// Whether who has sent everything may stop sending and still wait for the answer. Another service closes to give up.
    pub may_listen: bool,
}

impl Rooms {
    /// For the replicas of the other services, which are few and keep their connections.
    pub const PEERS: Self = Self { most: 256, kept: 0, may_listen: false };

    /// For a process that may open `files` files. Each connection may need a second one, from the front door to a service.
    pub fn of_files(files: usize) -> Self {
        let most = (files.saturating_sub(OTHERS) / 2).clamp(FEWEST, MOST);
        let kept = most / KEPT;
        Self { most: most - kept, kept, may_listen: true }
    }
}

/// Which places a connection has one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// For every request.
    Common,
    /// For what is urgent alone.
    Kept,
}

/// Who has which place.
#[derive(Debug)]
pub(super) struct Places {
    rooms: Rooms,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    common: BTreeMap<u64, Activity>,
    kept: BTreeMap<u64, Activity>,
}

/// One connection's place, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    pub(super) room: Room,
    pub(super) activity: Activity,
    places: Arc<Places>,
}

impl Places {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self { rooms, held: Mutex::default() }
    }

    pub(super) const fn rooms(&self) -> Rooms {
        self.rooms
    }

    /// A place for a new connection: a free one, or that of whoever has waited longest without a request under way.
    /// None when all are at work.
    pub(super) fn take(self: &Arc<Self>, now: DateTime<Utc>) -> Option<Place> {
        let mut held = self.lock();
        let room = [(Room::Common, self.rooms.most), (Room::Kept, self.rooms.kept)]
            .into_iter()
            .find(|(room, most)| held.of(*room).len() < *most || end_one_of(held.of(*room), now))
            .map(|(room, _)| room)?;
        let (number, activity) = (held.next, Activity::new(now));
        held.next += 1;
        held.of(room).insert(number, activity.clone());
        held.show();
        Some(Place { number, room, activity, places: self.clone() })
    }

    /// Ends whoever has waited longest without a request under way.
    pub(super) fn end_who_waited_longest(&self, now: DateTime<Utc>) {
        end_one_of(&mut self.lock().common, now);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn of(&mut self, room: Room) -> &mut BTreeMap<u64, Activity> {
        match room {
            Room::Common => &mut self.common,
            Room::Kept => &mut self.kept,
        }
    }

    fn show(&self) {
        let now = u32::try_from(self.common.len() + self.kept.len()).unwrap_or(u32::MAX);
        metrics::gauge!("http_connections").set(now);
    }
}

fn end_one_of(held: &mut BTreeMap<u64, Activity>, now: DateTime<Utc>) -> bool {
    let idle = held.iter().filter_map(|(number, activity)| Some((activity.may_end(now)?, *number)));
    let Some(activity) = idle.min().and_then(|(_, number)| held.remove(&number)) else { return false };
    activity.send_away();
    metrics::counter!("http_connections_ended_total", "why" => "needed").increment(1);
    true
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.lock();
        held.of(self.room).remove(&self.number);
        held.show();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(second)
    }

    #[test]
    fn connections_stay_below_the_files_that_the_process_may_open() {
        let rooms = |files| Rooms::of_files(files);
        assert_eq!(rooms(256), Rooms { most: 84, kept: 12, may_listen: true });
        assert_eq!(rooms(1_000_000), Rooms { most: 3_584, kept: 512, may_listen: true });
        assert_eq!(rooms(0), Rooms { most: 14, kept: 2, may_listen: true });
    }

    #[tokio::test]
    async fn whoever_waited_longest_makes_way_and_whoever_works_does_not() {
        let clock = SystemClock::shared();
        let places = Arc::new(Places::new(Rooms { most: 2, kept: 1, may_listen: true }));
        let (first, second) = (places.take(at(1)).expect("free"), places.take(at(2)).expect("free"));
        let working = first.activity.begin(&clock);
        let third = places.take(at(3)).expect("the second makes way");
        second.activity.sent_away().await;
        assert_eq!(third.room, Room::Common);
        let also_working = third.activity.begin(&clock);
        let urgent = places.take(at(4)).expect("one is kept");
        assert_eq!(urgent.room, Room::Kept);
        let and_this = urgent.activity.begin(&clock);
        assert!(places.take(at(5)).is_none(), "all are at work");
        drop((working, also_working, and_this));
        assert_eq!(places.take(clock.now() + chrono::TimeDelta::seconds(1)).expect("one makes way").room, Room::Common);
    }
}
