//! What the protocol says of a record, also of one whose every submission was replaced or voided: there an emergency
//! that nobody has signed still stands.

use lasegue_protocol::assessment::{Finding, NextVisit, Scores, Severity, Status, VisitKind};
use lasegue_protocol::record::{Decision, Record, Submission};
use lasegue_protocol::{Assessment, Protocol, evaluate};

/// The assessment of the record's latest visit. Without a visit that counts, the latest submission stands in its place,
/// with nothing but the emergencies that its withdrawal must not clear. None without any submission.
pub(crate) fn assess(protocol: &Protocol, record: &Record) -> Option<Assessment> {
    evaluate(protocol, record, None).ok().or_else(|| withdrawn(protocol, record))
}

/// Whether somebody has to act on it soon: an active emergency or urgent finding.
pub(crate) fn is_red_flag(finding: &Finding) -> bool {
    finding.severity.is_grave() && finding.status.is_active()
}

fn withdrawn(protocol: &Protocol, record: &Record) -> Option<Assessment> {
    let latest = record.submissions.iter().max_by_key(|submission| (submission.assessed_at, &submission.id))?;
    let findings = corrected_pending(protocol, record);
    let kind = if findings.is_empty() { VisitKind::None } else { VisitKind::Hold };
    Some(Assessment {
        visit: latest.id.clone(),
        assessed_at: latest.assessed_at,
        protocol: protocol.reference().clone(),
        findings,
        scores: Scores { leg_pain_mm: None, odi_percent: None },
        unanswered: Vec::new(),
        next_visit: NextVisit { kind, earliest: None, latest: None },
    })
}

/// The unsigned emergencies of submissions none of which counts, each as the first submission met it.
fn corrected_pending(protocol: &Protocol, record: &Record) -> Vec<Finding> {
    let mut submissions: Vec<&Submission> = record.submissions.iter().collect();
    submissions.sort_by_key(|submission| (submission.assessed_at, &submission.id));
    let mut pending: Vec<Finding> = Vec::new();
    for submission in submissions {
        for finding in emergencies(protocol, &alone(record, submission)) {
            if !pending.iter().any(|known| (&known.code, known.side) == (&finding.code, finding.side)) {
                pending.push(finding);
            }
        }
    }
    pending.sort_by(|one, other| (&one.code, one.side).cmp(&(&other.code, other.side)));
    pending
}

fn emergencies(protocol: &Protocol, record: &Record) -> Vec<Finding> {
    let unsigned = |finding: &Finding| finding.severity == Severity::Emergency && finding.status.is_active();
    let found = evaluate(protocol, record, None).map(|assessment| assessment.findings).unwrap_or_default();
    let pending = |finding| Finding { status: Status::CorrectedPending, met: false, ..finding };
    found.into_iter().filter(unsigned).map(pending).collect()
}

/// The record as if one submission were all there is, and counted.
fn alone(record: &Record, submission: &Submission) -> Record {
    let kept = record.adjudications.iter().filter(|entry| !matches!(entry.decision, Decision::Void { .. }));
    Record {
        patient: record.patient.clone(),
        episode: record.episode.clone(),
        submissions: vec![Submission { supersedes: None, ..submission.clone() }],
        adjudications: kept.cloned().collect(),
    }
}

#[cfg(test)]
mod tests;
