//! What alerting is told of an episode, parsed: the red flags of one revision, complete in themselves.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{CaseId, Revision, SubmissionId};
use crate::severity::Urgency;

/// A side of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The patient's left.
    Left,
    /// The patient's right.
    Right,
}

impl Side {
    /// The word in events and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// What an alert is about, within its case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// A finding's code, or one of the service's own.
    pub code: String,
    /// The side, where the finding has one.
    pub side: Option<Side>,
}

impl Key {
    /// A key without a side.
    pub fn of(code: &str) -> Self {
        Self { code: code.to_owned(), side: None }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.side {
            Some(side) => write!(f, "{}/{}", self.code, side.word()),
            None => f.write_str(&self.code),
        }
    }
}

/// How bad each ground of a finding is; higher is worse.
pub type Measure = BTreeMap<String, i64>;

/// The active red flags of an episode at one revision: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedFlags {
    /// The episode's case.
    pub case: CaseId,
    /// A lower or equal one was told before and is ignored.
    pub revision: Revision,
    /// When assessment told of it.
    pub told_at: DateTime<Utc>,
    /// The visit that was assessed.
    pub visit: Visit,
    /// Each key once.
    pub findings: Vec<Finding>,
    /// What the assessed visit met and a signature covers, with what met it last: it is no worse than what was signed, so it
    /// pages nobody.
    pub persisting: Vec<(Key, Sighting)>,
    /// The keys of all dispositions signed so far, one entry a signature.
    pub dispositions: Vec<Key>,
}

/// The visit that was assessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Which submission.
    pub submission: SubmissionId,
    /// When the patient was seen or answered.
    pub assessed_at: DateTime<Utc>,
    /// When the submission came in.
    pub received_at: DateTime<Utc>,
    /// It came in an import, not live.
    pub imported: bool,
}

/// One active emergency or urgent finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub key: Key,
    /// How pressing it is.
    pub urgency: Urgency,
    /// When its limit ends.
    pub respond_by: DateTime<Utc>,
    /// How bad it is.
    pub measure: Measure,
    /// The assessed visit itself met it.
    pub met_at_visit: bool,
    /// The submission that met it and came into the record last, whatever its date.
    pub last_met: Option<Sighting>,
    /// Who met it; none where a former version told of it.
    pub met: Option<Met>,
    /// A question that an answer closes.
    pub ask: bool,
    /// A correction took it away before anybody signed for it.
    pub corrected_pending: bool,
}

/// All submissions that met a finding, in few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// Some of them came live.
    pub live: bool,
    /// When the patient was seen last of those times.
    pub latest_at: DateTime<Utc>,
}

/// A submission that met a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Which.
    pub submission: SubmissionId,
    /// When it came in, as far as is known.
    pub received_at: DateTime<Utc>,
    /// The revision of the record that first had it; 0 where a former version remembered it.
    #[serde(default)]
    pub revision: Revision,
}

impl Sighting {
    /// Whether `other` is of another submission that came into the record later. What came together is told of once.
    pub fn is_before(&self, other: &Self) -> bool {
        let is_later = match (self.revision, other.revision) {
            (Revision(0), Revision(0)) => other.received_at >= self.received_at,
            (mine, theirs) => theirs > mine,
        };
        is_later && other.submission != self.submission
    }
}

impl RedFlags {
    /// How many dispositions of `key` are signed.
    pub fn signed(&self, key: &Key) -> usize {
        self.dispositions.iter().filter(|signed| *signed == key).count()
    }
}
