//! How much there may be of what several services keep.

use chrono::TimeDelta;

/// Submissions of one episode, those that were replaced or voided among them. Intake refuses one beyond, and reads it for
/// danger like every refused one.
pub const MOST_SUBMISSIONS: usize = 2_000;
/// Adjudications of one episode that intake takes.
pub const MOST_ADJUDICATIONS: usize = 2_000;

/// How far a sender's clock may be ahead of ours.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);
