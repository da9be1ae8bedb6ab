//! Protobuf to the domain and back.

use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lasegue_contracts::assessment::{AssessmentCompleted, FindingSummary, Severity, Status};
use lasegue_contracts::scheduling as proto;
use lasegue_platform::wire::{WireError, id, timestamp};
use uuid::Uuid;

use crate::plan::{Plan, Window};
use crate::store::plans;

/// What a result says to scheduling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    pub(crate) episode: Uuid,
    pub(crate) revision: i64,
    pub(crate) plan: Plan,
    pub(crate) time_zone: String,
    /// The gravest active finding's, if it is an emergency or urgent.
    pub(crate) severity: Option<&'static str>,
}

impl Completed {
    /// Reads the event.
    pub(crate) fn read(event: &AssessmentCompleted) -> Result<Self, WireError> {
        let zone: Tz = event.time_zone.parse().map_err(|_| WireError("time_zone"))?;
        let next = event.next_visit.as_ref().ok_or(WireError("next_visit"))?;
        let earliest = day("next_visit.earliest", next.earliest.as_deref())?;
        let latest = day("next_visit.latest", next.latest.as_deref())?;
        let window = earliest.zip(latest).map(|(earliest, latest)| Window { earliest, latest, zone });
        Ok(Self {
            episode: id("episode_id", &event.episode_id)?,
            revision: event.revision.try_into().map_err(|_| WireError("revision"))?,
            plan: Plan { kind: next.kind.clone(), window },
            time_zone: zone.name().to_owned(),
            severity: gravest(&event.findings),
        })
    }
}

fn day(field: &'static str, text: Option<&str>) -> Result<Option<NaiveDate>, WireError> {
    text.map(str::parse).transpose().map_err(|_| WireError(field))
}

fn gravest(findings: &[FindingSummary]) -> Option<&'static str> {
    let active = || findings.iter().filter(|finding| finding.status() != Status::Persisting);
    let is = |severity| active().any(|finding| finding.severity() == severity);
    match (is(Severity::Emergency), is(Severity::Urgent)) {
        (true, _) => Some("emergency"),
        (false, true) => Some("urgent"),
        (false, false) => None,
    }
}

pub(crate) fn planned(row: &plans::Model) -> proto::VisitPlanned {
    proto::VisitPlanned {
        episode_id: row.episode_id.to_string(),
        revision: row.revision.unsigned_abs(),
        kind: row.kind.clone(),
        earliest: row.earliest.map(|day| day.to_string()),
        latest: row.latest.map(|day| day.to_string()),
    }
}

pub(crate) fn due(row: &plans::Model, at: DateTime<Utc>) -> proto::VisitDue {
    let (episode_id, revision) = (row.episode_id.to_string(), row.revision.unsigned_abs());
    proto::VisitDue { episode_id, revision, kind: row.kind.clone(), at: Some(timestamp(at)) }
}

pub(crate) fn overdue(row: &plans::Model, at: DateTime<Utc>) -> proto::VisitOverdue {
    let (episode_id, revision) = (row.episode_id.to_string(), row.revision.unsigned_abs());
    proto::VisitOverdue { episode_id, revision, kind: row.kind.clone(), at: Some(timestamp(at)) }
}
