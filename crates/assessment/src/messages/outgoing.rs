//! What an evaluation tells the others: its red flags, complete in themselves, and its result.

use std::collections::{HashMap, HashSet};

use lasegue_contracts::assessment as proto;
use lasegue_platform::wire::timestamp;
use lasegue_protocol::Assessment;
use lasegue_protocol::assessment::{Finding, Limit, NextVisit, Severity, Status};
use lasegue_protocol::record::{Adjudication, Decision, Record, Side, Submission, SubmissionId};
use uuid::Uuid;

/// The longest code that a protocol may give a finding: what is signed under a longer one is signed on none.
const LONGEST_CODE: usize = 100;

/// The submissions of a record by their ids.
type Known<'r> = HashMap<&'r SubmissionId, &'r Submission>;

/// What is told of one revision of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'t> {
    pub(crate) episode: Uuid,
    pub(crate) revision: i64,
    pub(crate) record: &'t Record,
    pub(crate) assessment: &'t Assessment,
    /// The emergencies and urgent findings as alerting is to know them.
    pub(crate) red_flags: &'t [Finding],
    /// Every submission came with an import. One that came live is never told of as imported, lest its page be lost.
    pub(crate) bulk: bool,
    /// The submissions that came live.
    pub(crate) live: &'t HashSet<SubmissionId>,
}

impl Told<'_> {
    /// Every emergency and urgent finding with its status, and every disposition: its code, side and instant alone. Who signed
    /// and in which words is nothing to those who page, and 2,000 notes would be more than a bus takes.
    pub(crate) fn red_flags(&self) -> proto::RedFlagRaised {
        let Self { record, assessment, .. } = self;
        let visit = record.submissions.iter().find(|submission| submission.id == assessment.visit);
        let known: Known = record.submissions.iter().map(|submission| (&submission.id, submission)).collect();
        let received_at = visit.map_or(assessment.assessed_at, Submission::known_at);
        proto::RedFlagRaised {
            episode_id: self.episode.to_string(),
            revision: self.revision.unsigned_abs(),
            submission_id: assessment.visit.to_string(),
            assessed_at: Some(timestamp(assessment.assessed_at.to_utc())),
            received_at: Some(timestamp(received_at.to_utc())),
            time_zone: zone(record),
            bulk: self.bulk,
            protocol: Some(protocol(assessment)),
            flags: self.red_flags.iter().map(|finding| self.flag(finding, &known)).collect(),
            dispositions: record.adjudications.iter().filter_map(signed).collect(),
        }
    }

    fn flag(&self, finding: &Finding, known: &Known) -> proto::RedFlag {
        let met: Vec<_> = finding.met_by.iter().filter_map(|id| known.get(id)).collect();
        let latest = met.iter().map(|submission| submission.assessed_at).max();
        proto::RedFlag {
            last_met: met.last().map(|submission| meeting(submission)),
            met_live: met.iter().any(|submission| self.live.contains(&submission.id)),
            met_latest_at: latest.map(|at| timestamp(at.to_utc())),
            ..flag(finding)
        }
    }

    /// The result as scheduling needs it.
    pub(crate) fn completed(&self) -> proto::AssessmentCompleted {
        let Self { record, assessment, .. } = self;
        proto::AssessmentCompleted {
            episode_id: self.episode.to_string(),
            revision: self.revision.unsigned_abs(),
            submission_id: assessment.visit.to_string(),
            assessed_at: Some(timestamp(assessment.assessed_at.to_utc())),
            time_zone: zone(record),
            protocol: Some(protocol(assessment)),
            next_visit: Some(next_visit(&assessment.next_visit)),
            findings: assessment.findings.iter().map(summary).collect(),
        }
    }
}

fn zone(record: &Record) -> String {
    record.episode.time_zone.map_or("UTC", |zone| zone.name()).to_owned()
}

fn protocol(assessment: &Assessment) -> proto::Protocol {
    let reference = assessment.protocol.clone();
    proto::Protocol { id: reference.id, version: reference.version, sha256: reference.sha256 }
}

fn next_visit(next: &NextVisit) -> proto::NextVisit {
    proto::NextVisit {
        kind: next.kind.to_string(),
        earliest: next.earliest.map(|date| date.to_string()),
        latest: next.latest.map(|date| date.to_string()),
    }
}

fn flag(finding: &Finding) -> proto::RedFlag {
    proto::RedFlag {
        code: finding.code.clone(),
        side: side(finding.side),
        severity: severity(finding.severity).into(),
        status: status(finding.status).into(),
        limit: limit(finding).into(),
        respond_by: finding.respond_by.map(timestamp),
        measure: finding.measure.clone(),
        met_at_visit: finding.met,
        ask: finding.code.ends_with("-unknown") || finding.code.ends_with("-not-excluded"),
        ..Default::default()
    }
}

fn meeting(submission: &Submission) -> proto::Meeting {
    proto::Meeting {
        submission_id: submission.id.to_string(),
        received_at: Some(timestamp(submission.known_at().to_utc())),
        revision: submission.revision.unsigned_abs(),
    }
}

fn summary(finding: &Finding) -> proto::FindingSummary {
    proto::FindingSummary {
        code: finding.code.clone(),
        side: side(finding.side),
        severity: severity(finding.severity).into(),
        status: status(finding.status).into(),
    }
}

fn signed(adjudication: &Adjudication) -> Option<proto::SignedDisposition> {
    let Decision::Disposition { code, side: on } = &adjudication.decision else { return None };
    (code.len() <= LONGEST_CODE).then(|| proto::SignedDisposition {
        code: code.clone(),
        side: side(*on),
        at: Some(timestamp(adjudication.at.to_utc())),
        ..Default::default()
    })
}

fn side(side: Option<Side>) -> String {
    side.map(|side| side.to_string()).unwrap_or_default()
}

fn severity(severity: Severity) -> proto::Severity {
    match severity {
        Severity::Emergency => proto::Severity::Emergency,
        Severity::Urgent => proto::Severity::Urgent,
        Severity::Routine => proto::Severity::Routine,
        Severity::Info => proto::Severity::Info,
    }
}

fn status(status: Status) -> proto::Status {
    match status {
        Status::New => proto::Status::New,
        Status::Open => proto::Status::Open,
        Status::Worse => proto::Status::Worse,
        Status::Persisting => proto::Status::Persisting,
        Status::CorrectedPending => proto::Status::CorrectedPending,
        Status::ProtocolChanged => proto::Status::ProtocolChanged,
    }
}

/// The limit of a finding, rounded to the shorter one that the wire knows.
fn limit(finding: &Finding) -> proto::Limit {
    match finding.limit {
        _ if finding.severity == Severity::Emergency => proto::Limit::Immediate,
        Some(Limit::Days(7..)) => proto::Limit::Limit7Days,
        Some(Limit::Hours(24..) | Limit::Days(_)) => proto::Limit::Limit24Hours,
        Some(Limit::SameDay | Limit::Hours(_)) => proto::Limit::SameDay,
        Some(Limit::Now) | None => proto::Limit::Immediate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, limit: Option<Limit>) -> Finding {
        Finding {
            code: "a-finding".to_owned(),
            side: Some(Side::Left),
            severity,
            status: Status::New,
            qualifiers: Vec::new(),
            suppressed_by: None,
            respond_by: None,
            text: String::new(),
            action: String::new(),
            evidence: Vec::new(),
            citations: Vec::new(),
            measure: [("knee_extension".to_owned(), 2)].into(),
            limit,
            met: true,
            met_by: Vec::new(),
        }
    }

    #[test]
    fn a_limit_is_never_told_longer_than_it_is() {
        use proto::Limit as Told;
        for (severity, limit, told) in [
            (Severity::Emergency, Some(Limit::Days(7)), Told::Immediate),
            (Severity::Urgent, None, Told::Immediate),
            (Severity::Urgent, Some(Limit::Now), Told::Immediate),
            (Severity::Urgent, Some(Limit::SameDay), Told::SameDay),
            (Severity::Urgent, Some(Limit::Hours(23)), Told::SameDay),
            (Severity::Urgent, Some(Limit::Hours(24)), Told::Limit24Hours),
            (Severity::Urgent, Some(Limit::Days(1)), Told::Limit24Hours),
            (Severity::Urgent, Some(Limit::Days(6)), Told::Limit24Hours),
            (Severity::Urgent, Some(Limit::Days(7)), Told::Limit7Days),
        ] {
            assert_eq!(flag(&finding(severity, limit)).limit(), told, "{severity} {limit:?}");
        }
    }

    #[test]
    fn a_question_is_told_as_one() {
        for (code, ask) in [
            ("motor-exam-unknown", true),
            ("cauda-equina-not-excluded", true),
            ("cauda-equina-watch", false),
            ("unknown-cause", false),
        ] {
            let finding = Finding { code: code.to_owned(), ..finding(Severity::Urgent, None) };
            assert_eq!(flag(&finding).ask, ask, "{code}");
        }
    }
}
