//! The record of one episode: what was reported, by whom and when, and what people decided.
//!
//! JSON enters through [`Record::parse`] and its siblings, which collect every fault of the input
//! with its JSON pointer; whatever leaves them is within its range and is serialised back to the
//! same public JSON, with missing fields left out.

mod adjudication;
mod check;
mod danger;
mod episode;
mod examination;
mod fault;
mod parse;
mod patient;
mod reader;
mod replacement;
mod report;
mod screening;
mod submission;
mod values;
mod words;

#[cfg(test)]
mod tests;

pub use crate::word::Word;
pub use adjudication::{Adjudication, Decision};
pub use check::{BEFORE_BIRTH, check_record};
pub use danger::{DangerSign, danger_signs};
pub use episode::{Episode, Imaging, Treatment};
pub use examination::{Motor, MotorSite, PerSide, Reflexes, Sensation, StraightLegRaise, StraightLegRaiseSide};
pub use fault::{Fault, Parsed};
pub use parse::{Record, Registration, parse_adjudication, parse_registration, parse_submission};
pub use patient::Patient;
pub use reader::shown;
pub(crate) use replacement::Replacements;
pub use report::{Odi, Pain, PainScore, Report, SidedDermatome, Walking, Work};
pub use screening::{Answer, CaudaEquina, Serious, Trauma};
pub use submission::{Draft, Submission, SubmissionId};
pub use values::Temperature;
pub use words::{
    Activity, Author, CaudaEquinaItem, Change, Dermatome, Lesion, Modality, Movement, Outcome, Quality, Reflex, Region,
    Scale, Sex, Side, Temporal, TreatmentKind, Tri, WorkStatus,
};
