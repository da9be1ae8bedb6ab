//! What people decided about an episode: signed by name, dated, never undone.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use super::SubmissionId;
use super::reader::{Fields, Node};
use super::submission::submission_id;
use super::values::{MAX_ID, MAX_NOTE, text, time, word};
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
    /// Who signed it.
    pub by: String,
    /// Why.
    pub note: String,
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
    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let kind = fields.required("kind", word);
        let at = fields.required("at", time);
        let by = fields.required("by", text(MAX_ID));
        let why = fields.required("note", text(MAX_NOTE));
        let decision = Decision::read(kind?, &mut fields);
        fields.finish();
        Some(Self { decision: decision?, at: at?, by: by?, note: why? })
    }
}

impl Decision {
    fn read(kind: Kind, fields: &mut Fields) -> Option<Self> {
        match kind {
            Kind::Disposition => {
                let code = fields.required("code", text(MAX_ID));
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
