//! What a signature covers: nothing that its signer could not have seen.

use chrono::{DateTime, FixedOffset};

use crate::record::{Adjudication, Submission};

/// When something became known. What came into the record later is greater; in a document the times alone decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Known {
    /// The revision of the record that first had it.
    pub(super) revision: i64,
    pub(super) at: DateTime<FixedOffset>,
}

/// Up to where a signer has seen the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// What was received later is not covered.
    pub(super) until: DateTime<FixedOffset>,
    /// What came into the record later is not either; none where the times alone decide.
    pub(super) revision: Option<i64>,
}

impl Known {
    pub(super) fn of(submission: &Submission) -> Self {
        Self { at: submission.known_at(), revision: submission.revision }
    }
}

impl Seen {
    pub(super) fn by(signed: &Adjudication) -> Self {
        Self { until: signed.covers_until(), revision: signed.seen }
    }

    pub(super) fn covers(&self, known: Known) -> bool {
        known.at <= self.until && self.revision.is_none_or(|seen| known.revision <= seen)
    }
}
