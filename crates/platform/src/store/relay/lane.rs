//! The lanes of the relay: each class of rows has its own places, so that none waits for a lesser one. What left before
//! and leaves once more has a lane behind all of them, as has what its reader took from hand to hand, and goes slowly: its
//! readers have it already, and what is new must not wait among it.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::outbox::{Class, Outgoing, Wanted};

/// Rows of one lane that wait in memory; more stay in the database until there is room.
pub(super) const WAITING: usize = 1_024;

/// How many lanes there are.
pub(super) const LANES: usize = 6;

/// The rows of one lane.
pub(super) struct Lane {
    pub(super) wanted: Wanted,
    pub(super) waiting: VecDeque<Outgoing>,
    pub(super) under_way: usize,
    /// Rows under way at once.
    pub(super) most: usize,
    /// How long a row keeps its place at least.
    pub(super) pace: Duration,
}

/// Every lane, the most urgent first; a class's lane has its number. What leaves once more does so at 320 rows a second,
/// what was handed over at 160: a reader drops far more than these.
pub(super) fn lanes() -> [Lane; LANES] {
    let lane = |wanted, most, pace| Lane { wanted, waiting: VecDeque::new(), under_way: 0, most, pace };
    [
        lane(Wanted::New(Class::RedFlag), 512, Duration::ZERO),
        lane(Wanted::New(Class::Live), 512, Duration::ZERO),
        lane(Wanted::New(Class::Bulk), 64, Duration::ZERO),
        lane(Wanted::Again, 16, Duration::from_millis(50)),
        lane(Wanted::Handed, 8, Duration::from_millis(50)),
        lane(Wanted::Refused, 4, Duration::ZERO),
    ]
}
