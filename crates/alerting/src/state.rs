//! How far an alert has come. A transition consumes the old state and takes `now`; what cannot be done is refused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::chain::Chain;
use crate::ids::{Person, Revision};
use crate::reason::Reason;
use crate::severity::{LONGEST_ACCEPTANCE, Severity};

/// How far an alert has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum State {
    /// On the worklist; pages nobody yet.
    Listed {
        /// When it is paged and why then; never by itself, when there is none.
        planned: Option<Planned>,
    },
    /// Paging, until somebody accepts. Nothing but a person or the facts ends this state.
    Open {
        /// The escalation's place.
        chain: Chain,
    },
    /// A named person has taken it on.
    Accepted {
        /// Who.
        by: Person,
        /// Since when.
        at: DateTime<Utc>,
        /// When it is paged again unless it is closed before.
        lapses_at: DateTime<Utc>,
        /// The escalation's place, in case it goes on.
        chain: Chain,
    },
    /// Done.
    Closed {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        closure: Closure,
    },
}

/// When a listed alert will be paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When.
    pub at: DateTime<Utc>,
    /// Why then.
    pub reason: Reason,
}

/// Why an alert is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Closure {
    /// A person signed for it here.
    Signed {
        /// Who.
        by: Person,
        /// What was found.
        note: String,
        /// The last revision of the episode's record that this person can have seen.
        #[serde(default)]
        seen: Revision,
    },
    /// The episode's record holds a disposition that was signed elsewhere.
    Disposed,
    /// The question was answered, or the refused submission corrected.
    Answered,
    /// The record no longer holds what raised it.
    Withdrawn,
}

impl Closure {
    /// The word in the API and the audit.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Signed { .. } | Self::Disposed => "disposed",
            Self::Answered => "answered",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What cannot be done to an alert in its state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// It is done.
    #[error("the alert is closed ({0}); there is nothing left to do about it")]
    Closed(&'static str),
    /// Another person has it.
    #[error("{0} has accepted the alert; ask for a hand-over, or take it over")]
    AcceptedBy(Person),
    /// It pages nobody.
    #[error("the alert is on the worklist and pages nobody; accept or dispose it")]
    NotPaging,
    /// Nobody has accepted it.
    #[error("nobody has accepted the alert; accept it first")]
    NotAccepted,
    /// Only an emergency's acceptance is short enough to be extended.
    #[error("an urgent alert's acceptance already holds for 4 hours and cannot be extended; dispose or hand over")]
    NotExtendable,
    /// Too long, or not longer than before.
    #[error("the acceptance can be extended to between {from} and {to}")]
    OutsideExtension {
        /// The present end.
        from: DateTime<Utc>,
        /// Four hours after the acceptance.
        to: DateTime<Utc>,
    },
}

impl State {
    /// Makes `by` responsible for it. Accepting one's own again changes nothing.
    pub fn accept(self, by: Person, severity: Severity, now: DateTime<Utc>) -> Result<Self, Impossible> {
        let lapses_at = now + severity.acceptance();
        match self {
            Self::Listed { .. } => Ok(Self::Accepted { by, at: now, lapses_at, chain: Chain::start(now) }),
            Self::Open { chain } => Ok(Self::Accepted { by, at: now, lapses_at, chain }),
            Self::Accepted { by: other, .. } if other != by => Err(Impossible::AcceptedBy(other)),
            own @ Self::Accepted { .. } => Ok(own),
            Self::Closed { closure, .. } => Err(Impossible::Closed(closure.word())),
        }
    }

    /// Makes `by` responsible for it in place of whoever was; that person is named, to be told.
    pub fn take_over(
        self,
        by: Person,
        severity: Severity,
        now: DateTime<Utc>,
    ) -> Result<(Self, Option<Person>), Impossible> {
        match self {
            Self::Accepted { by: holder, chain, .. } if holder != by => {
                Ok((Self::Open { chain }.accept(by, severity, now)?, Some(holder)))
            }
            other => Ok((other.accept(by, severity, now)?, None)),
        }
    }

    /// Lets an emergency's acceptance hold until `until`, at most four hours after it began.
    pub fn extend(self, until: DateTime<Utc>, person: &Person, severity: Severity) -> Result<Self, Impossible> {
        let Self::Accepted { by, at, lapses_at, chain } = self.open()? else {
            return Err(Impossible::NotAccepted);
        };
        if by != *person {
            return Err(Impossible::AcceptedBy(by));
        }
        if severity != Severity::Emergency {
            return Err(Impossible::NotExtendable);
        }
        let longest = at + LONGEST_ACCEPTANCE;
        if until <= lapses_at || until > longest {
            return Err(Impossible::OutsideExtension { from: lapses_at, to: longest });
        }
        Ok(Self::Accepted { by, at, lapses_at: until, chain })
    }

    /// The escalation's place, for it to go on from there. What another has accepted is not `person`'s to give away.
    pub fn hand_over(self, person: &Person) -> Result<Chain, Impossible> {
        match self {
            Self::Accepted { by, .. } if by != *person => Err(Impossible::AcceptedBy(by)),
            Self::Listed { .. } => Err(Impossible::NotPaging),
            Self::Open { chain } | Self::Accepted { chain, .. } => Ok(chain),
            Self::Closed { closure, .. } => Err(Impossible::Closed(closure.word())),
        }
    }

    /// Ends it.
    pub fn close(self, closure: Closure, now: DateTime<Utc>) -> Result<Self, Impossible> {
        self.open().map(|_| Self::Closed { at: now, closure })
    }

    fn open(self) -> Result<Self, Impossible> {
        match self {
            Self::Closed { closure, .. } => Err(Impossible::Closed(closure.word())),
            open => Ok(open),
        }
    }

    /// The word in the API and the tables.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Listed { .. } => "listed",
            Self::Open { .. } => "open",
            Self::Accepted { .. } => "accepted",
            Self::Closed { .. } => "closed",
        }
    }
}
