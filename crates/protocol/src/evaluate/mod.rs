//! Evaluation of one visit of a record: what fires, what stands open from before, what is next.
//!
//! The visits are ordered by time of assessment, whatever their order of arrival, and walked
//! once; the cost is linear in their number.

mod assemble;
mod corrections;
mod firing;
mod history;
mod next_visit;
mod probe;
mod render;
mod seen;
mod standing;
mod status;
mod unanswered;

#[cfg(test)]
mod tests;

use crate::assessment::{Assessment, Scores};
use crate::logic::Ratio;
use crate::protocol::Protocol;
use crate::record::{Record, SubmissionId};

use crate::facts::Longstanding;
use assemble::Assembled;
use history::History;
pub use probe::Probe;
pub(crate) use render::in_general;

/// Why a record could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// No submission counts today.
    #[error("the record has no submission that counts; add one, there is nothing to evaluate")]
    NothingToEvaluate,
    /// The visit that was asked for does not count, or does not exist.
    #[error("there is no submission {0} that counts; name one that is neither replaced nor voided")]
    NoSuchVisit(SubmissionId),
}

/// Evaluates the latest visit of a record, or the one that is named.
///
/// A named visit is evaluated as if it were the latest: with the submissions assessed up to it,
/// as they are known today, and the dispositions signed before the visit after it.
pub fn evaluate(
    protocol: &Protocol,
    record: &Record,
    visit: Option<&SubmissionId>,
) -> Result<Assessment, EvaluateError> {
    let longstanding = history::longstanding(&record.adjudications);
    let history = History::walk(protocol, record, &longstanding, visit)?;
    let last = history.last();
    let assembled = assemble::findings(protocol, record, &history);
    let next_visit = next_visit::plan(protocol, &assembled);
    let Assembled { findings, view, .. } = assembled;
    Ok(Assessment {
        visit: last.view.submission.id.clone(),
        assessed_at: last.view.submission.assessed_at,
        protocol: protocol.reference.clone(),
        findings,
        scores: scores(&view),
        unanswered: unanswered::paths(&view),
        next_visit,
    })
}

fn scores(view: &crate::facts::View) -> Scores {
    let leg = view.report().pain.leg.map(crate::facts::millimetres);
    let percent = view.disability().and_then(crate::facts::Disability::percent);
    Scores { leg_pain_mm: leg, odi_percent: percent.map(tenths) }
}

fn tenths(number: Ratio) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for showing only, at most 1000")]
    let tenths = number.tenths() as f64;
    tenths / 10.0
}
