//! Protobuf to the domain and back.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use lasegue_contracts::assessment::{self as incoming, AssessmentCompleted, FindingSummary, NextVisit, Status};
use lasegue_contracts::scheduling as outgoing;
use lasegue_platform::wire::{WireError, id, instant, timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::{Kind, Plan, Window};
use crate::store::plans;
use crate::worklist::Severity;

/// What a result says to scheduling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    pub(crate) episode: Uuid,
    pub(crate) revision: i64,
    pub(crate) plan: Plan,
    pub(crate) zone: Tz,
    /// The local day of the assessed visit.
    pub(crate) assessed_on: NaiveDate,
    /// The active emergency and urgent findings, the gravest first.
    pub(crate) needs: Vec<Need>,
}

/// An active emergency or urgent finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Need {
    pub(crate) code: String,
    pub(crate) side: Option<String>,
    pub(crate) severity: String,
}

impl Completed {
    /// Reads the event.
    pub(crate) fn read(event: &AssessmentCompleted) -> Result<Self, WireError> {
        let zone: Tz = event.time_zone.parse().map_err(|_| WireError("time_zone"))?;
        let assessed_at = instant("assessed_at", event.assessed_at.as_ref())?;
        Ok(Self {
            episode: id("episode_id", &event.episode_id)?,
            revision: event.revision.try_into().map_err(|_| WireError("revision"))?,
            plan: plan(event.next_visit.as_ref().ok_or(WireError("next_visit"))?, zone)?,
            zone,
            assessed_on: assessed_at.with_timezone(&zone).date_naive(),
            needs: needs(&event.findings)?,
        })
    }

    /// The gravest severity that somebody has to act on soon.
    pub(crate) fn severity(&self) -> Option<Severity> {
        self.needs.first().and_then(|need| Severity::named(&need.severity))
    }
}

fn plan(next: &NextVisit, zone: Tz) -> Result<Plan, WireError> {
    let kind = Kind::named(&next.kind).ok_or(WireError("next_visit.kind"))?;
    let earliest = day("next_visit.earliest", next.earliest.as_deref())?;
    let latest = day("next_visit.latest", next.latest.as_deref())?;
    let window = match (earliest, latest) {
        (Some(earliest), Some(latest)) => {
            Some(Window::new(earliest, latest, zone).ok_or(WireError("next_visit.latest"))?)
        }
        (None, None) => None,
        (Some(_), None) => return Err(WireError("next_visit.latest")),
        (None, Some(_)) => return Err(WireError("next_visit.earliest")),
    };
    Plan::new(kind, window).ok_or(WireError("next_visit"))
}

fn day(field: &'static str, text: Option<&str>) -> Result<Option<NaiveDate>, WireError> {
    text.map(str::parse).transpose().map_err(|_| WireError(field))
}

fn needs(findings: &[FindingSummary]) -> Result<Vec<Need>, WireError> {
    let mut needs = Vec::new();
    for severity in Severity::ALL {
        for finding in findings {
            if read_severity(finding)? == Some(severity) && finding.status() != Status::Persisting {
                needs.push(Need {
                    code: finding.code.clone(),
                    side: Some(finding.side.clone()).filter(|side| !side.is_empty()),
                    severity: severity.name().to_owned(),
                });
            }
        }
    }
    Ok(needs)
}

fn read_severity(finding: &FindingSummary) -> Result<Option<Severity>, WireError> {
    match finding.severity() {
        incoming::Severity::Emergency => Ok(Some(Severity::Emergency)),
        incoming::Severity::Urgent => Ok(Some(Severity::Urgent)),
        incoming::Severity::Routine | incoming::Severity::Info => Ok(None),
        incoming::Severity::Unspecified => Err(WireError("findings.severity")),
    }
}

pub(crate) fn planned(row: &plans::Model) -> outgoing::VisitPlanned {
    outgoing::VisitPlanned {
        episode_id: row.episode_id.to_string(),
        revision: row.revision.unsigned_abs(),
        kind: row.kind.clone(),
        earliest: row.earliest.map(|day| day.to_string()),
        latest: row.latest.map(|day| day.to_string()),
    }
}

pub(crate) fn due(row: &plans::Model, at: DateTime<Utc>) -> outgoing::VisitDue {
    let (episode_id, revision) = (row.episode_id.to_string(), row.revision.unsigned_abs());
    outgoing::VisitDue { episode_id, revision, kind: row.kind.clone(), at: Some(timestamp(at)) }
}

pub(crate) fn overdue(row: &plans::Model, at: DateTime<Utc>) -> outgoing::VisitOverdue {
    let (episode_id, revision) = (row.episode_id.to_string(), row.revision.unsigned_abs());
    outgoing::VisitOverdue { episode_id, revision, kind: row.kind.clone(), at: Some(timestamp(at)) }
}
