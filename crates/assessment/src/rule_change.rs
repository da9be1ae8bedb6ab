//! What a change of the rules leaves behind, until a person or a new visit settles it: a danger that the new rules no
//! longer see stays, and one that only they see pages nobody.

use chrono::{Days, NaiveDate};
use lasegue_protocol::Assessment;
use lasegue_protocol::assessment::{Finding, Limit, NextVisit, Severity, Status, VisitKind};
use lasegue_protocol::record::{Decision, Record, Side};
use serde::{Deserialize, Serialize};

use crate::remembered::Remembered;
use crate::verdict::is_red_flag;

/// What a change of the rules did to one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleChange {
    pub(crate) code: String,
    pub(crate) side: Option<Side>,
    /// How often the finding was signed by then: the next signature settles it.
    signed: usize,
    effect: Effect,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    /// The new rules no longer yield it. It stays active as it was.
    Dropped(Remembered),
    /// Only the new rules yield it, or as graver: alerting goes on with what it knew of it, if anything.
    Added(Option<Remembered>),
}

/// What the new rules alone change: `old` and `new` are of the same record. `old` is active, and so is what counts of
/// `new`. What an earlier change did and nobody has settled goes on.
pub(crate) fn between(
    old: &[Remembered],
    new: &[Finding],
    record: &Record,
    unsettled: Vec<RuleChange>,
) -> Vec<RuleChange> {
    let change = |finding: &Finding, effect| RuleChange {
        code: finding.code.clone(),
        side: finding.side,
        signed: signatures(record, finding),
        effect,
    };
    let mut changes: Vec<_> = unsettled.into_iter().filter(RuleChange::is_added).collect();
    let is_known = |changes: &[RuleChange], finding: &Finding| changes.iter().any(|change| change.is_of(finding));
    for finding in new {
        let before = old.iter().find(|old| old.is_of(finding));
        if is_news(finding, before) && !is_known(&changes, finding) {
            changes.push(change(finding, Effect::Added(before.cloned())));
        }
    }
    for before in old.iter().filter(|old| !new.iter().any(|finding| finding.severity.is_grave() && old.is_of(finding)))
    {
        let added = changes.extract_if(.., |change| change.is_of(before.finding())).next();
        let known = match added.map(|change| change.effect) {
            // Nobody was ever told of it: it goes as it came.
            Some(Effect::Added(None)) => continue,
            Some(Effect::Added(Some(known)) | Effect::Dropped(known)) => known,
            None => before.clone(),
        };
        changes.push(change(before.finding(), Effect::Dropped(known)));
    }
    changes
}

/// Leaves out what is settled: by a signature, by a submission that the new rules have judged, or by the rules agreeing.
pub(crate) fn unsettled(
    changes: Vec<RuleChange>,
    assessment: &Assessment,
    record: &Record,
    by_submission: bool,
) -> Vec<RuleChange> {
    let stands = |change: &RuleChange| {
        let found = assessment.findings.iter().find(|finding| change.is_of(finding) && finding.severity.is_grave());
        let open = match &change.effect {
            Effect::Dropped(_) => found.is_none(),
            Effect::Added(known) => !by_submission && found.is_some_and(|found| is_news(found, known.as_ref())),
        };
        open && count(record, &change.code, change.side) == change.signed
    };
    changes.into_iter().filter(stands).collect()
}

/// Whether a finding is active and more than what alerting knows of it.
fn is_news(found: &Finding, known: Option<&Remembered>) -> bool {
    is_red_flag(found) && known.is_none_or(|known| known.is_exceeded_by(found))
}

/// Puts back what the new rules dropped, and plans the next visit as if they had not: an emergency holds it, an urgent
/// finding makes it as early as its limit asks.
pub(crate) fn put_back(changes: &[RuleChange], assessment: &mut Assessment, record: &Record) {
    let today = record.episode.local_day(assessment.assessed_at);
    for change in changes {
        if let Effect::Dropped(before) = &change.effect {
            let finding = Finding { status: Status::ProtocolChanged, met: false, ..before.finding().clone() };
            assessment.next_visit = sooner(&assessment.next_visit, &finding, today);
            assessment.findings.push(finding);
        }
    }
    assessment.findings.sort_by(|one, other| order(one).cmp(&order(other)));
}

fn sooner(planned: &NextVisit, finding: &Finding, today: NaiveDate) -> NextVisit {
    match (planned.kind, finding.severity) {
        (_, Severity::Emergency) => NextVisit { kind: VisitKind::Hold, earliest: None, latest: None },
        (VisitKind::Hold, _) => planned.clone(),
        (kind, _) => {
            let asked = today.checked_add_days(days(finding.limit)).unwrap_or(today);
            let urgent = planned.latest.filter(|_| kind == VisitKind::Urgent);
            let latest = urgent.map_or(asked, |latest| latest.min(asked));
            NextVisit { kind: VisitKind::Urgent, earliest: Some(today), latest: Some(latest) }
        }
    }
}

fn days(limit: Option<Limit>) -> Days {
    Days::new(match limit {
        None | Some(Limit::Now | Limit::SameDay) => 0,
        Some(Limit::Hours(hours)) => hours.div_ceil(24).into(),
        Some(Limit::Days(days)) => days.into(),
    })
}

/// The emergencies and urgent findings as alerting is to know them.
pub(crate) fn told(changes: &[RuleChange], assessment: &Assessment) -> Vec<Finding> {
    let grave = assessment.findings.iter().filter(|finding| finding.severity.is_grave());
    grave
        .filter_map(|finding| {
            let change = changes.iter().find(|change| change.is_of(finding));
            match change.map(|change| &change.effect) {
                Some(Effect::Added(before)) => before.as_ref().map(|before| before.finding().clone()),
                Some(Effect::Dropped(_)) | None => Some(finding.clone()),
            }
        })
        .collect()
}

impl RuleChange {
    /// Whether somebody has to look at it without having been paged.
    pub(crate) const fn is_added(&self) -> bool {
        matches!(self.effect, Effect::Added(_))
    }

    fn is_of(&self, finding: &Finding) -> bool {
        (&self.code, self.side) == (&finding.code, finding.side)
    }
}

fn order(finding: &Finding) -> (Severity, &str, Option<Side>) {
    (finding.severity, &finding.code, finding.side)
}

fn signatures(record: &Record, finding: &Finding) -> usize {
    count(record, &finding.code, finding.side)
}

fn count(record: &Record, code: &str, side: Option<Side>) -> usize {
    let signs = |decision: &Decision| match decision {
        Decision::Disposition { code: signed, side: on } => (signed.as_str(), *on) == (code, side),
        Decision::Void { .. } | Decision::Longstanding { .. } => false,
    };
    record.adjudications.iter().filter(|entry| signs(&entry.decision)).count()
}

#[cfg(test)]
mod tests;
