//! A submission, and the draft of one: what is valid in a body that may be refused.

use std::fmt;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use super::reader::Node;
use super::report::Report;
use super::values::{name, time, word};
use super::words::Author;
use super::{Fault, Parsed};

/// The identifier of a submission within its record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubmissionId(pub String);

impl fmt::Display for SubmissionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One visit or one form from home.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Submission {
    /// Unique within the record.
    pub id: SubmissionId,
    /// When the patient was assessed.
    pub assessed_at: DateTime<FixedOffset>,
    /// When it arrived here; the time of assessment when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<DateTime<FixedOffset>>,
    /// Who reported it.
    pub author: Author,
    /// The submission that this one replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<SubmissionId>,
    /// What it reports.
    #[serde(flatten)]
    pub report: Report,
    /// The revision of the record that first had it; 0 in a document.
    #[serde(skip)]
    pub revision: i64,
}

impl Submission {
    /// When this became known: its receipt, else its assessment.
    pub fn known_at(&self) -> DateTime<FixedOffset> {
        self.received_at.unwrap_or(self.assessed_at)
    }
}

/// All that is valid of a submission that may be refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// Its identifier, if it has a valid one.
    pub id: Option<SubmissionId>,
    /// When the patient was assessed, if that is readable.
    pub assessed_at: Option<DateTime<FixedOffset>>,
    /// When it arrived here.
    pub received_at: Option<DateTime<FixedOffset>>,
    /// Who reported it, if that is readable.
    pub author: Option<Author>,
    /// The submission that it replaces.
    pub supersedes: Option<SubmissionId>,
    /// Every valid clinical field.
    pub report: Report,
}

impl Draft {
    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let draft = Self {
            id: fields.required("id", submission_id),
            assessed_at: fields.required("assessed_at", time),
            received_at: fields.optional("received_at", time),
            author: fields.required("author", word),
            supersedes: fields.optional("supersedes", submission_id),
            report: Report::read(&mut fields),
        };
        fields.finish();
        Some(draft)
    }

    /// The submission, when everything that is required is there.
    pub fn complete(self) -> Option<Submission> {
        Some(Submission {
            id: self.id?,
            assessed_at: self.assessed_at?,
            received_at: self.received_at,
            author: self.author?,
            supersedes: self.supersedes,
            report: self.report,
            revision: 0,
        })
    }
}

impl Parsed<Draft> {
    /// The submission when it has no fault, else all of them.
    pub fn accept(self) -> Result<Submission, Vec<Fault>> {
        match self.value.complete() {
            Some(submission) if self.faults.is_empty() => Ok(submission),
            _ => Err(self.faults),
        }
    }
}

pub(super) fn submission_id(node: &Node) -> Option<SubmissionId> {
    name(node).map(SubmissionId)
}
