//! Why a page is sent. Ordered: of several reasons for one page the greatest is named.

use serde::{Deserialize, Serialize};

/// Why a page is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Somebody wants to know whether pages arrive.
    Test,
    /// What was asked is answered; the alert is closed.
    Answered,
    /// Somebody else has signed for it; the alert is closed.
    Signed,
    /// Another person has taken over what this one had accepted.
    TakenOver,
    /// A correction took the finding out of the record; it still wants a signature.
    Corrected,
    /// Nobody has accepted, and everybody was asked.
    Repeated,
    /// The same was reported again.
    MetAgain,
    /// Nobody has accepted; the next step.
    Escalated,
    /// Somebody has handed it over to this person.
    HandedOver,
    /// Its limit is over.
    Overdue,
    /// Somebody accepted and then neither disposed nor extended.
    AcceptanceLapsed,
    /// It is new.
    Opened,
    /// It has become worse.
    Worse,
}

impl Reason {
    /// The word in pages, events and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Answered => "answered",
            Self::Signed => "signed",
            Self::TakenOver => "taken-over",
            Self::Corrected => "corrected",
            Self::Repeated => "repeated",
            Self::MetAgain => "met-again",
            Self::Escalated => "escalated",
            Self::HandedOver => "handed-over",
            Self::Overdue => "overdue",
            Self::AcceptanceLapsed => "acceptance-lapsed",
            Self::Opened => "opened",
            Self::Worse => "worse",
        }
    }

    /// The page only tells something: it is sent even when nobody has to act any more.
    pub const fn only_tells(self) -> bool {
        matches!(self, Self::Test | Self::Answered | Self::Signed | Self::TakenOver | Self::Corrected)
    }
}
