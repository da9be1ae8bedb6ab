//! What has to happen now: the outcome of every decision. The shell saves it in one transaction and sends the pages.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::ids::{AlertId, ContactName, Person, RotaName, SubmissionId};
use crate::letter::Letter;
use crate::reason::Reason;
use crate::severity::Urgency;
use crate::state::Closure;
use crate::tone::Tone;

/// The outcome of a decision about one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The case as it is now.
    pub case: Case,
    /// At most one page a contact.
    pub pages: Vec<PageOrder>,
    /// What happened, for the audit and the events, in order.
    pub happened: Vec<Happening>,
    /// Alerts that have stopped paging: what is still queued of them need not be sent.
    pub settled: BTreeSet<AlertId>,
    /// What the service's own case has to be told.
    pub reports: BTreeSet<Report>,
}

/// A page to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOrder {
    /// To whom.
    pub contact: ContactName,
    /// About what; a plan's are never empty, a test's are.
    pub lines: BTreeMap<AlertId, Line>,
}

/// One alert in a page. Ordered by weight, then by how pressing the reason is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// What kind of alert.
    pub tone: Tone,
    /// Why it is in this page.
    pub reason: Reason,
    /// When the alert was opened.
    #[serde(default)]
    pub opened_at: DateTime<Utc>,
}

/// Something for the service's own case, told once however often it happens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "about", rename_all = "kebab-case")]
pub enum Report {
    /// Nobody was on call on this rota when a step paged it.
    Gap(RotaName),
    /// No channel of this contact took a page.
    Unreachable(ContactName),
    /// A consumer could not handle a message.
    Unhandled(Letter),
    /// Live events of this service have waited too long for the bus.
    EventsHeldUp(String),
    /// The database of this service stores nothing.
    NothingStored(String),
    /// This service met damage in its database.
    Damaged(String),
    /// An import brought active findings of old visits.
    ImportedFindings,
    /// Visits were missed.
    MissedVisits,
    /// Steps of alerts were late, or missing.
    LateSteps,
}

/// Something that happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// To which.
    pub alert: AlertId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// It was opened.
    Opened {
        /// How pressing.
        urgency: Urgency,
    },
    /// It became worse than it was known to be.
    Worsened,
    /// A new submission met the same emergency.
    MetAgain,
    /// A new submission met what was signed, no worse than it was then: nobody is paged.
    Persists {
        /// Which submission.
        submission: SubmissionId,
    },
    /// A correction took the finding out of the record before anybody signed.
    CorrectedPending,
    /// The next step was taken.
    Escalated {
        /// From 1, again in each round.
        step: u32,
        /// From 1.
        round: u32,
    },
    /// Somebody was paged.
    Paged {
        /// Who.
        contacts: BTreeSet<ContactName>,
        /// Why.
        reason: Reason,
    },
    /// A person took it on.
    Accepted {
        /// Who.
        by: Person,
        /// Until when that holds.
        until: DateTime<Utc>,
        /// Whether a page about it can reach them.
        can_be_paged: bool,
    },
    /// A person took it from whoever had taken it on.
    TakenOver {
        /// Who has it now.
        by: Person,
        /// Who had it.
        from: Person,
    },
    /// The acceptance holds longer.
    Extended {
        /// Who extended it.
        by: Person,
        /// Until when it holds now.
        until: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// A person cannot take it on.
    Declined {
        /// Who.
        by: Person,
    },
    /// A person gave it on.
    HandedOver {
        /// Who gave.
        by: Person,
        /// To whom, when it was somebody by name.
        to: Option<ContactName>,
    },
    /// The acceptance ended without a disposition.
    Lapsed,
    /// It is done.
    Closed(Closure),
}

impl What {
    /// The word in the log and in metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Worsened => "worsened",
            Self::MetAgain => "met-again",
            Self::Persists { .. } => "persists",
            Self::CorrectedPending => "corrected-pending",
            Self::Escalated { .. } => "escalated",
            Self::Paged { .. } => "paged",
            Self::Accepted { .. } => "accepted",
            Self::TakenOver { .. } => "taken-over",
            Self::Extended { .. } => "extended",
            Self::Declined { .. } => "declined",
            Self::HandedOver { .. } => "handed-over",
            Self::Lapsed => "lapsed",
            Self::Closed(closure) => closure.word(),
        }
    }
}

impl Plan {
    /// Whether the plan leaves `before` as it is and has nothing to tell anybody.
    pub fn changes_nothing(&self, before: &Case) -> bool {
        self.case == *before && self.pages.is_empty() && self.happened.is_empty() && self.reports.is_empty()
    }
}

impl PageOrder {
    /// The weightiest line: what the page is about in one word.
    pub fn headline(&self) -> Option<Line> {
        self.lines.values().copied().max()
    }

    /// Whether it says nothing but that nobody has accepted yet.
    pub fn repeats(&self) -> bool {
        !self.lines.is_empty() && self.lines.values().all(|line| line.reason == Reason::Repeated)
    }
}
