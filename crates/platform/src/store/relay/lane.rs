//! The lanes of the relay: each class of rows has its own places, so that none waits for a lesser one.

use std::collections::VecDeque;

use super::super::outbox::Outgoing;

/// Rows under way at once in each class.
pub(super) const UNDER_WAY: [usize; 3] = [512, 512, 64];
/// Rows of one class that wait in memory; more stay in the database until there is room.
pub(super) const WAITING: usize = 1_024;

/// The rows of one class.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) waiting: VecDeque<Outgoing>,
    pub(super) under_way: usize,
    /// The row behind which the next sweep looks; 0 to begin anew.
    pub(super) swept: i64,
}
