//! What people decided about an episode: signed by name, dated, never undone.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use super::SubmissionId;
use super::reader::{Fields, Node};
use super::submission::submission_id;
use super::values::{name, note, time, word};
use super::words::{CaudaEquinaItem, Side};
use crate::word::Word;

/// A decision with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adjudication {
    /// What was decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// When it was signed.
    pub at: DateTime<FixedOffset>,
    /// When it arrived here; the time of signing when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<DateTime<FixedOffset>>,
    /// Who signed it.
    pub by: String,
    /// Why.
    pub note: String,
    /// The last revision of the record that its signer can have seen; none in a document, where the times alone decide.
    #[serde(skip)]
    pub seen: Option<i64>,
}

/// What an adjudication decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Decision {
    /// A finding was seen and dealt with.
    Disposition {
        /// The finding's code.
        code: String,
        /// Its side; null for a finding without one.
        side: Option<Side>,
    },
    /// A submission was entered in error or for the wrong patient.
    Void {
        /// The submission to leave out.
        submission: SubmissionId,
    },
    /// A cauda equina symptom is old and known.
    Longstanding {
        /// The item.
        item: CaudaEquinaItem,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Disposition,
    Void,
    Longstanding,
}

impl Word for Kind {
    const ALL: &'static [Self] = &[Self::Disposition, Self::Void, Self::Longstanding];

    fn as_str(self) -> &'static str {
        match self {
            Self::Disposition => "disposition",
            Self::Void => "void",
            Self::Longstanding => "longstanding",
        }
    }
}

impl Adjudication {
    /// When this became known: its receipt, else its signing.
    pub fn known_at(&self) -> DateTime<FixedOffset> {
        self.received_at.unwrap_or(self.at)
    }

    /// Until when it covers what was received: a signature that is dated ahead of its own receipt covers no more.
    pub fn covers_until(&self) -> DateTime<FixedOffset> {
        self.at.min(self.known_at())
    }

    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let kind = fields.required("kind", word);
        let at = fields.required("at", time);
        let received_at = fields.optional("received_at", time);
        let by = fields.required("by", name);
        let why = fields.required("note", note);
        let decision = Decision::read(kind?, &mut fields);
        fields.finish();
        Some(Self { decision: decision?, at: at?, received_at, by: by?, note: why?, seen: None })
    }
}

impl Decision {
    fn read(kind: Kind, fields: &mut Fields) -> Option<Self> {
        match kind {
            Kind::Disposition => {
                let code = fields.required("code", name);
                let side = fields.optional("side", word);
                Some(Self::Disposition { code: code?, side })
            }
            Kind::Void => {
                let submission = fields.required("submission", submission_id)?;
                Some(Self::Void { submission })
            }
            Kind::Longstanding => {
                let item = fields.required("item", word)?;
                Some(Self::Longstanding { item })
            }
        }
    }
}
