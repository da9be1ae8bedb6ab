//! A finding as the database remembers it: with what only paging needs, which the public JSON leaves out.

use std::collections::BTreeMap;

use lasegue_protocol::assessment::{Finding, Limit};
use serde::{Deserialize, Serialize};

/// A finding that comes back from JSON whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct Remembered(Finding);

#[derive(Serialize, Deserialize)]
struct Stored {
    finding: Finding,
    measure: BTreeMap<String, i64>,
    limit: Option<StoredLimit>,
    met: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredLimit {
    Now,
    SameDay,
    Hours(u16),
    Days(u16),
}

impl Remembered {
    pub(crate) const fn of(finding: Finding) -> Self {
        Self(finding)
    }

    pub(crate) const fn finding(&self) -> &Finding {
        &self.0
    }

    /// Whether both are about the same.
    pub(crate) fn is_of(&self, finding: &Finding) -> bool {
        (&self.0.code, self.0.side) == (&finding.code, finding.side)
    }

    /// Whether `finding` is graver, or has a ground above this one's.
    pub(crate) fn is_exceeded_by(&self, finding: &Finding) -> bool {
        let above = |(ground, worth): (&String, &i64)| *worth > self.0.measure.get(ground).copied().unwrap_or(0);
        finding.severity < self.0.severity || finding.measure.iter().any(above)
    }
}

impl From<Stored> for Remembered {
    fn from(stored: Stored) -> Self {
        let Stored { finding, measure, limit, met } = stored;
        Self(Finding { measure, limit: limit.map(Limit::from), met, ..finding })
    }
}

impl From<Remembered> for Stored {
    fn from(Remembered(finding): Remembered) -> Self {
        let (measure, limit, met) = (finding.measure.clone(), finding.limit.map(StoredLimit::from), finding.met);
        Self { finding, measure, limit, met }
    }
}

impl From<StoredLimit> for Limit {
    fn from(limit: StoredLimit) -> Self {
        match limit {
            StoredLimit::Now => Self::Now,
            StoredLimit::SameDay => Self::SameDay,
            StoredLimit::Hours(hours) => Self::Hours(hours),
            StoredLimit::Days(days) => Self::Days(days),
        }
    }
}

impl From<Limit> for StoredLimit {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Now => Self::Now,
            Limit::SameDay => Self::SameDay,
            Limit::Hours(hours) => Self::Hours(hours),
            Limit::Days(days) => Self::Days(days),
        }
    }
}
