//! What kind of thing a page speaks of: the one word about it that may leave the building. Ordered by weight.

use serde::{Deserialize, Serialize};

/// What kind of thing a page speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Something for the coordinator to know.
    Notice,
    /// The service's own trouble.
    Operator,
    /// An urgent finding.
    Urgent,
    /// An emergency.
    Emergency,
}

impl Tone {
    /// The word in pages, events and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Operator => "operator",
            Self::Urgent => "urgent",
            Self::Emergency => "emergency",
        }
    }
}
