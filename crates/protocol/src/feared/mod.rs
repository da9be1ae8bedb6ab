//! What a refused body may mean at its worst: strict in what is accepted, generous in what is feared.
//!
//! Names and values are read whatever their case, spelling and type, and wherever they stand; what names a danger is
//! taken at its worst, and every emergency rule of the embedded protocol is evaluated on what could be read. A sign too
//! many costs a clinician a look; one too few may cost a patient.

mod blocks;
mod extent;
mod fields;
mod names;
mod numbers;
mod places;
mod report;
mod texts;
mod values;
mod walk;

use std::fmt;

use lasegue_values::legible;
use serde_json::Value;

use crate::assessment::Severity;
use crate::protocol::Protocol;
use crate::record::{Draft, Record, Report, danger_signs, parse_submission};

use names::Names;
pub use texts::{MOST_WRAPPED, json_in};
use walk::Signs;

/// What is to be feared of a refused body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fear {
    /// What can be read of it holds a danger sign.
    Danger,
    /// Nothing clinical of it can be read.
    Unread,
    /// What can be read of it is calm, and it holds more: an answer that is neither a yes nor clearly none, or more names and
    /// texts than are read.
    ReadInPart,
    /// All that can be read of it is calm.
    Nothing,
}

/// What is to be feared of a refused body.
pub fn feared(body: &Value) -> Fear {
    Reader::default().fear(body)
}

/// Reads the parts of one record, which together have as many unknown names as one body may.
#[derive(Default)]
pub struct Reader {
    names: Names,
}

impl Reader {
    /// What is to be feared of a part.
    pub fn fear(&mut self, part: &Value) -> Fear {
        let draft = parse_submission(part).value;
        let mut signs = Signs::of(part, &mut self.names);
        let is_of_a_part = signs.are_of_a_part();
        if is_danger(&draft) || is_danger(&report::draft(&signs)) {
            return Fear::Danger;
        }
        if is_of_a_part {
            return Fear::ReadInPart;
        }
        let nothing_read = draft.report == Report::default() && !signs.heard;
        if nothing_read { Fear::Unread } else { Fear::Nothing }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// Whether a text, which need not be JSON, names a field on which an emergency can rest.
pub fn names_a_danger(text: &str) -> bool {
    fields::ALL.spelt(&names::plain(&legible(text))).0.is_some()
}

/// Whether a field was meant to be named `name`, whatever its case and spelling.
pub fn may_mean(field: &str, name: &str) -> bool {
    names::are_alike(&names::plain(extent::of_name(field)), &names::plain(name))
}

fn is_danger(draft: &Draft) -> bool {
    // Of nothing no rule makes an emergency, and asking all of them takes its time.
    if draft.report == Report::default() {
        return false;
    }
    !danger_signs(draft).is_empty() || is_emergency(draft)
}

/// Whether the embedded protocol finds an emergency in a visit of which nothing but `draft` is known.
fn is_emergency(draft: &Draft) -> bool {
    let record: Record = report::record(draft.report.clone());
    let found = crate::evaluate(Protocol::embedded(), &record, None).map(|assessment| assessment.findings);
    found.unwrap_or_default().iter().any(|finding| finding.severity == Severity::Emergency)
}
