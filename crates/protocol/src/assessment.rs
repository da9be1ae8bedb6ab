//! The result of an evaluation, as the public JSON has it.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::protocol::Limit;
use crate::record::{Side, SubmissionId};
use crate::word::words;

/// What the protocol finds at one visit, given the whole history before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The visit that was evaluated.
    pub visit: SubmissionId,
    /// When the patient was assessed at it.
    pub assessed_at: DateTime<FixedOffset>,
    /// The protocol that decided.
    pub protocol: ProtocolRef,
    /// Sorted by severity, the highest first, then code, then side.
    pub findings: Vec<Finding>,
    /// The scores of the visit.
    pub scores: Scores,
    /// Paths of the fields that the protocol reads and nobody answered, sorted.
    pub unanswered: Vec<String>,
    /// When the patient should be seen next.
    pub next_visit: NextVisit,
}

/// A protocol, down to its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolRef {
    /// Its name.
    pub id: String,
    /// Its version, as its authors number it.
    pub version: String,
    /// SHA-256 of its text, in lower-case hexadecimal.
    pub sha256: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which finding, as `motor-deficit-severe`.
    pub code: String,
    /// The side it is about, if it is about one.
    pub side: Option<Side>,
    /// How grave it is.
    pub severity: Severity,
    /// Where it stands in its history.
    pub status: Status,
    /// What else is to be known about it, sorted.
    pub qualifiers: Vec<String>,
    /// The active emergency for which this elective finding has to wait.
    pub suppressed_by: Option<String>,
    /// By when to act.
    pub respond_by: Option<DateTime<Utc>>,
    /// What was found, in plain language, with the patient's own values.
    pub text: String,
    /// What to do.
    pub action: String,
    /// What was read to find it.
    pub evidence: Vec<Evidence>,
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// How bad each of its grounds is, for paging; never part of the public JSON.
    #[serde(skip)]
    pub measure: BTreeMap<String, i64>,
    /// How soon to act, counted from when it was first or last worse met; for paging, as the measure.
    #[serde(skip)]
    pub limit: Option<Limit>,
    /// Whether the evaluated visit itself met it, and it is not only latched; for paging, as the measure.
    #[serde(skip)]
    pub met: bool,
    /// The submissions that met it, in the order in which they came into the record; for paging, as the measure.
    #[serde(skip)]
    pub met_by: Vec<SubmissionId>,
}

/// One value that a finding rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it stands, as `motor.great_toe_extension.right`.
    pub path: String,
    /// The value itself.
    pub value: Value,
    /// The submission it stands in; none for the patient and the episode.
    pub submission: Option<SubmissionId>,
}

/// A reference and whether it could be traced to a published work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// As the protocol file lists it.
    #[serde(rename = "ref")]
    pub reference: String,
    /// How certain the reference is.
    pub resolution: Resolution,
}

/// The scores of a visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Leg pain in mm of a visual analogue scale; ten for a point of a numeric one.
    pub leg_pain_mm: Option<i64>,
    /// Oswestry Disability Index in per cent, rounded to a tenth for showing.
    pub odi_percent: Option<f64>,
}

/// When to see the patient next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextVisit {
    /// Why then.
    pub kind: VisitKind,
    /// First day of the window; none when nothing is to be planned.
    pub earliest: Option<NaiveDate>,
    /// Last day of the window.
    pub latest: Option<NaiveDate>,
}

words! {
    /// How grave a finding is; the gravest is the least, so that it sorts first.
    pub Severity {
        Emergency = "emergency", Urgent = "urgent", Routine = "routine", Info = "info",
    }
    /// Where a finding stands in its history.
    pub Status {
        New = "new",
        Open = "open",
        Worse = "worse",
        Persisting = "persisting",
        CorrectedPending = "corrected-pending",
        ProtocolChanged = "protocol-changed",
    }
    /// Whether a citation could be traced to a published work.
    pub Resolution { Resolved = "resolved", Inferred = "inferred", Unresolved = "unresolved" }
    /// What the next visit is for.
    pub VisitKind {
        Hold = "hold",
        Urgent = "urgent",
        None = "none",
        Intensified = "intensified",
        Initial = "initial",
        SixWeek = "six-week",
        ThreeMonthly = "three-monthly",
    }
}

impl Severity {
    /// Whether it latches until somebody signs it: an emergency or urgent.
    pub const fn is_grave(self) -> bool {
        matches!(self, Self::Emergency | Self::Urgent)
    }
}

impl Status {
    /// Whether somebody still has to act: every status but `persisting`.
    pub const fn is_active(self) -> bool {
        !matches!(self, Self::Persisting)
    }
}
