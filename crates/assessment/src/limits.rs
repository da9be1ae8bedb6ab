//! What assessment keeps, how long, and how much of it at most.
//!
//! Everything is kept for good: every piece of a record as it came in, and the result of every revision with the
//! protocol that gave it, so that what was said years ago can still be shown and computed again.

/// Submissions of one episode, those that were replaced or voided among them. One beyond is set aside as a dead letter,
/// of which an operator is told at once; nothing is dropped.
pub(crate) const MOST_SUBMISSIONS: usize = 2_000;
/// Adjudications of one episode, the dispositions signed on alerts among them. Beyond, as for submissions.
pub(crate) const MOST_ADJUDICATIONS: usize = 2_000;

/// Episodes evaluated again in one go after a change of the protocol; between two goes whatever waits is done.
pub(crate) const REASSESSED_AT_ONCE: u64 = 50;

/// Results of one page of an episode's history when the caller does not say.
pub(crate) const USUAL_PAGE: u64 = 20;
/// Results of one page at most; one is a few kilobytes.
pub(crate) const LARGEST_PAGE: u64 = 100;
