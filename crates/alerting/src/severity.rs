//! How bad and how pressing a finding is. Ordered: the greater is the more pressing.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What a page says of the patient's state, and all it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A clinician must act within the finding's limit.
    Urgent,
    /// A clinician must act now.
    Emergency,
}

/// A severity with its limit: an emergency has none but now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Urgent, to be answered within seven days.
    SevenDays,
    /// Urgent, to be answered within 24 hours.
    OneDay,
    /// Urgent, to be answered today.
    SameDay,
    /// To be answered now.
    Emergency,
}

impl Urgency {
    /// The severity without its limit.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Emergency => Severity::Emergency,
            Self::SameDay | Self::OneDay | Self::SevenDays => Severity::Urgent,
        }
    }

    /// Whether a page may say that its limit is over; an emergency is always due.
    pub const fn can_be_overdue(self) -> bool {
        !matches!(self, Self::Emergency)
    }
}

impl Severity {
    /// The word in pages, events and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Emergency => "emergency",
        }
    }

    /// How long an acceptance holds when no disposition follows.
    pub const fn acceptance(self) -> TimeDelta {
        match self {
            Self::Emergency => TimeDelta::minutes(30),
            Self::Urgent => LONGEST_ACCEPTANCE,
        }
    }
}

/// How long an acceptance can hold at most, extended or not.
pub const LONGEST_ACCEPTANCE: TimeDelta = TimeDelta::hours(4);
