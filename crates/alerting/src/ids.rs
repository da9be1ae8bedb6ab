//! The names of things, one type each, so that an alert's id can never stand where a page's is meant.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }
    )+};
}

uuid_ids! {
    /// An episode whose alerts are kept together, or [`CaseId::OPERATOR`] for the service's own troubles.
    CaseId;
    /// One alert; follows from its case, its key and how many alerts of that key came before.
    AlertId;
    /// One page; follows from its case, revision and contact.
    PageId;
    /// A submission that assessment has seen.
    SubmissionId;
    /// A submission that intake had to refuse.
    RefusalId;
}

names! {
    /// A contact's name in the on-call set-up.
    ContactName;
    /// A rota's name in the on-call set-up.
    RotaName;
    /// Whoever acts: the identity in the bearer token.
    Person;
}

/// Counts the commits of an episode's record, as assessment sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl CaseId {
    /// The case of alerts that belong to no episode.
    pub const OPERATOR: Self = Self(Uuid::nil());
}

impl AlertId {
    /// The id of the alert of `case` under `key` that `before` others of that key precede.
    pub fn of(case: CaseId, key: &str, before: usize) -> Self {
        Self(derive(case, &format!("alert/{key}/{before}")))
    }

    /// The word by which people speak of the alert, whoever was paged about it; says nothing about the patient.
    pub fn reference(self) -> String {
        reference(self.0)
    }
}

impl PageId {
    /// The id of the one page that `contact` gets about `revision` of `case`.
    pub fn of(case: CaseId, revision: Revision, contact: &ContactName) -> Self {
        Self(derive(case, &format!("page/{revision}/{contact}")))
    }

    /// The id of the page that `contact` gets as the alarm that is raised since then, and for so many times before.
    pub fn of_alarm(since: DateTime<Utc>, number: u32, contact: &ContactName) -> Self {
        Self(derive(CaseId::OPERATOR, &format!("alarm/{}/{number}/{contact}", since.to_rfc3339())))
    }

    /// The word by which people speak of a page that is about no alert.
    pub fn reference(self) -> String {
        reference(self.0)
    }
}

fn reference(id: Uuid) -> String {
    let hex = id.simple().to_string().to_uppercase();
    format!("{}-{}", &hex[..4], &hex[4..8])
}

fn derive(case: CaseId, name: &str) -> Uuid {
    Uuid::new_v5(&case.0, name.as_bytes())
}
