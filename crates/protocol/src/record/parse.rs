//! Parsing whole documents: a record, and the pieces that services receive one by one.

use lasegue_values::limits::{MOST_ADJUDICATIONS, MOST_SUBMISSIONS};
use serde::Serialize;
use serde_json::Value;

use super::reader::{Faults, Node};
use super::{Adjudication, Draft, Episode, Fault, Parsed, Patient, Submission};

const FORMAT: &str = "lasegue.record/1";

/// Everything known of one episode.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "format", rename = "lasegue.record/1")]
pub struct Record {
    /// The patient.
    pub patient: Patient,
    /// The episode.
    pub episode: Episode,
    /// What was reported, in any order.
    pub submissions: Vec<Submission>,
    /// What was decided, in any order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adjudications: Vec<Adjudication>,
}

/// The body that opens an episode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Registration {
    /// The patient.
    pub patient: Patient,
    /// The episode.
    pub episode: Episode,
}

impl Record {
    /// Parses one record; contact data, clinic and clinician beside it are ignored.
    ///
    /// Every fault of the document is returned, not only the first. What only the parts
    /// together can show is left to [`check_record`](super::check_record).
    pub fn parse(value: &Value) -> Result<Self, Vec<Fault>> {
        all_of(value, Faults::default(), Self::read)
    }

    /// Parses a record that was accepted before. What an earlier version allowed and this one no longer takes, such as a
    /// longer text or the year 0, is read as it is: a limit that came later must not make a record unreadable.
    pub fn parse_kept(value: &Value) -> Result<Self, Vec<Fault>> {
        all_of(value, Faults::of_kept(), Self::read)
    }

    /// Parses one record from JSON text.
    pub fn parse_slice(json: &[u8]) -> Result<Self, Vec<Fault>> {
        let value = serde_json::from_slice(json).map_err(|error| {
            let reason = format!("is not readable as JSON: {error}");
            let pointer = String::new();
            vec![Fault { pointer, reason }]
        })?;
        Self::parse(&value)
    }

    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        fields.required("format", format);
        let patient = fields.required("patient", Patient::read);
        let episode = fields.required("episode", Episode::read);
        let submissions =
            fields.block("submissions", |n| n.each(MOST_SUBMISSIONS, |draft| Draft::read(draft)?.complete()));
        let adjudications = fields.block("adjudications", |n| n.each(MOST_ADJUDICATIONS, Adjudication::read));
        for ignored in ["contact", "clinic", "clinician"] {
            fields.ignore(ignored);
        }
        fields.finish();
        Some(Self { patient: patient?, episode: episode?, submissions, adjudications })
    }
}

fn format(node: &Node) -> Option<()> {
    if node.text()? == FORMAT {
        return Some(());
    }
    node.refuse(format!("must be \"{FORMAT}\""))
}

/// Parses one submission and keeps what is valid of a faulty one.
pub fn parse_submission(value: &Value) -> Parsed<Draft> {
    let faults = Faults::default();
    let draft = Draft::read(&Node::root(value, &faults));
    Parsed { value: draft.unwrap_or_default(), faults: faults.into_inner() }
}

/// Parses the body that opens an episode, `{ "patient": ..., "episode": ... }`.
pub fn parse_registration(value: &Value) -> Result<Registration, Vec<Fault>> {
    all_of(value, Faults::default(), Registration::read)
}

impl Registration {
    /// Parses a registration that was accepted before, as [`Record::parse_kept`] does.
    pub fn parse_kept(value: &Value) -> Result<Self, Vec<Fault>> {
        all_of(value, Faults::of_kept(), Self::read)
    }

    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let patient = fields.required("patient", Patient::read);
        let episode = fields.required("episode", Episode::read);
        fields.finish();
        Some(Self { patient: patient?, episode: episode? })
    }
}

/// Parses one adjudication.
pub fn parse_adjudication(value: &Value) -> Result<Adjudication, Vec<Fault>> {
    all_of(value, Faults::default(), Adjudication::read)
}

/// What `read` makes of all of a document, or every fault of it.
fn all_of<T>(value: &Value, faults: Faults, read: impl FnOnce(&Node) -> Option<T>) -> Result<T, Vec<Fault>> {
    let parsed = read(&Node::root(value, &faults));
    let faults = faults.into_inner();
    match parsed {
        Some(parsed) if faults.is_empty() => Ok(parsed),
        _ => Err(faults),
    }
}
