//! What assessment keeps, how long, and how much of it at most.
//!
//! Everything is kept for good: every piece of a record as it came in, and the result of every revision with the
//! protocol that gave it, so that what was said years ago can still be shown and computed again.

use lasegue_values::limits;

/// Submissions of one episode, those that were replaced or voided among them. Intake takes half as many, so that nothing it
/// took is ever too much here. One beyond is set aside as a dead letter, of which an operator is told at once.
pub(crate) const MOST_SUBMISSIONS: usize = 2 * limits::MOST_SUBMISSIONS;
/// Adjudications of one episode. Intake takes half as many: the other half is for the dispositions signed on alerts.
pub(crate) const MOST_ADJUDICATIONS: usize = 2 * limits::MOST_ADJUDICATIONS;

/// Episodes evaluated again in one go after a change of the protocol; between two goes whatever waits is done.
pub(crate) const REASSESSED_AT_ONCE: u64 = 50;

/// Results of one page of an episode's history when the caller does not say.
pub(crate) const USUAL_PAGE: u64 = 20;
/// Results of one page at most; one is a few kilobytes.
pub(crate) const LARGEST_PAGE: u64 = 100;
