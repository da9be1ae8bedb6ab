//! The next visit: the first row of the protocol's schedule that applies.

use chrono::{Duration, NaiveDate};

use crate::assessment::{Finding, NextVisit, Severity, VisitKind};
use crate::protocol::{Limit, Protocol};

use super::assemble::Assembled;
use super::firing::context;

/// Plans the visit after this one from its findings and their limits.
pub(super) fn plan(protocol: &Protocol, assembled: &Assembled) -> NextVisit {
    let Assembled { findings, view, state } = assembled;
    let context = context(protocol, view, state);
    let mut rows = protocol.next_visit.iter();
    let Some(row) = rows.find(|row| context.holds(&row.when).is_yes()) else {
        return unplanned(VisitKind::None);
    };
    let start = view.episode.treatment_start;
    let today = (view.day - start).num_days();
    match row.window.days(today, shortest(findings)) {
        None => unplanned(row.kind),
        Some((earliest, latest)) => {
            NextVisit { kind: row.kind, earliest: day(start, earliest), latest: day(start, latest) }
        }
    }
}

fn unplanned(kind: VisitKind) -> NextVisit {
    NextVisit { kind, earliest: None, latest: None }
}

/// The shortest limit of the active urgent findings, in days.
fn shortest(findings: &[Finding]) -> i64 {
    let urgent = findings.iter().filter(|finding| finding.severity == Severity::Urgent && finding.status.is_active());
    urgent.filter_map(|finding| finding.limit).map(Limit::days).min().unwrap_or(0)
}

fn day(start: NaiveDate, after: i64) -> Option<NaiveDate> {
    start.checked_add_signed(Duration::try_days(after)?)
}
