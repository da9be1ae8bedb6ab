//! What is known of the patient, without contact data.

use chrono::NaiveDate;
use serde::Serialize;

use super::reader::Node;
use super::values::{date, name, word};
use super::words::Sex;

/// The patient: only what the protocol needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Patient {
    /// The sender's identifier; personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Day of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<NaiveDate>,
    /// Sex as registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
}

impl Patient {
    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let patient = Self {
            id: fields.optional("id", name),
            birth_date: fields.optional("birth_date", date),
            sex: fields.optional("sex", word),
        };
        fields.finish();
        Some(patient)
    }
}
