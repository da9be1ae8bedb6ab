//! What an evaluation tells the others: its red flags, complete in themselves, and its result.

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_contracts::assessment as proto;
use lasegue_contracts::event::Lane;
use lasegue_platform::wire::timestamp;
use lasegue_protocol::Assessment;
use lasegue_protocol::assessment::{Finding, Limit, NextVisit, Severity, Status};
use lasegue_protocol::record::{Adjudication, Decision, Record, Side, Submission};
use uuid::Uuid;

/// A red flag of the bulk lane whose visit is at most this old travels live: somebody may still be in danger.
const RECENT: TimeDelta = TimeDelta::days(7);

/// What is told of one revision of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'t> {
    pub(crate) episode: Uuid,
    pub(crate) revision: i64,
    pub(crate) record: &'t Record,
    pub(crate) assessment: &'t Assessment,
    /// The assessed visit was imported, or something imported made the record change.
    pub(crate) bulk: bool,
}

/// The lane of a result's red flags.
pub(crate) fn red_flag_lane(lane: Lane, assessment: &Assessment, now: DateTime<Utc>) -> Lane {
    if now - assessment.assessed_at.to_utc() <= RECENT { Lane::Live } else { lane }
}

impl Told<'_> {
    /// Every emergency and urgent finding with its status, and every disposition.
    pub(crate) fn red_flags(&self) -> proto::RedFlagRaised {
        let Self { record, assessment, .. } = self;
        let visit = record.submissions.iter().find(|submission| submission.id == assessment.visit);
        let received_at = visit.map_or(assessment.assessed_at, Submission::known_at);
        let grave = assessment.findings.iter().filter(|finding| finding.severity.is_grave());
        proto::RedFlagRaised {
            episode_id: self.episode.to_string(),
            revision: self.revision.unsigned_abs(),
            submission_id: assessment.visit.to_string(),
            assessed_at: Some(timestamp(assessment.assessed_at.to_utc())),
            received_at: Some(timestamp(received_at.to_utc())),
            time_zone: zone(record),
            bulk: self.bulk,
            protocol: Some(protocol(assessment)),
            flags: grave.map(flag).collect(),
            dispositions: record.adjudications.iter().filter_map(signed).collect(),
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
    Some(proto::SignedDisposition {
        code: code.clone(),
        side: side(*on),
        at: Some(timestamp(adjudication.at.to_utc())),
        by: adjudication.by.clone(),
        note: adjudication.note.clone(),
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
