//! Putting the result together: what stands, what was corrected away, what else fired today.

use std::collections::BTreeMap;

use crate::assessment::{Finding, Severity, Status};
use crate::facts::{Outcome, View};
use crate::protocol::Protocol;
use crate::record::Record;
use crate::rules::State;

use super::corrections;
use super::firing::{self, Firing, Measure};
use super::history::{History, Visit};
use super::render::Renderer;
use super::standing::{Key, Signatures, standings};

/// A finding of the result before it is put into words.
pub(super) struct Listed {
    pub(super) key: Key,
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) qualifiers: Vec<usize>,
    pub(super) measure: Measure,
    /// The visit whose values are shown.
    pub(super) shown: usize,
    /// The visits that met it, in the order in which they became known.
    pub(super) met: Vec<usize>,
    /// The visit from which the time to respond counts.
    pub(super) since: usize,
}

/// The findings of the evaluated visit, and the visit as it ended up.
pub(super) struct Assembled<'r> {
    /// Sorted.
    pub(super) findings: Vec<Finding>,
    pub(super) view: View<'r>,
    pub(super) state: State,
}

/// Puts the findings of the evaluated visit together.
pub(super) fn findings<'r>(protocol: &Protocol, record: &'r Record, history: &History<'r>) -> Assembled<'r> {
    let mut listed = grave(protocol, record, history);
    let mut view = history.last().view.clone();
    view.outcome = outcome(&listed);
    let mut state = protocol.state();
    let mut fired = firing::run(protocol, &view, &mut state, &protocol.grave_steps);
    fired.extend(firing::run(protocol, &view, &mut state, &protocol.other_steps));
    for firing in fired {
        let key = (firing.finding, firing.side);
        if !firing.severity.is_grave() {
            listed.entry(key).or_insert_with(|| today(&view, firing));
        }
    }
    let above_info = listed.values().any(|entry| entry.severity != Severity::Info);
    view.outcome.above_info = Some(above_info);
    let findings = in_words(protocol, history, &listed, (&view, &state));
    Assembled { findings, view, state }
}

/// Emergencies and urgent findings: by their status, then by correction, without the lesser ones.
fn grave(protocol: &Protocol, record: &Record, history: &History) -> BTreeMap<Key, Listed> {
    let signatures = Signatures::of(record, history);
    let mut listed = BTreeMap::new();
    for (key, standing) in standings(protocol, history, &signatures) {
        listed.insert(
            key,
            Listed {
                key,
                severity: standing.worst.severity,
                status: standing.status,
                qualifiers: qualifiers(history, key, standing.shown),
                measure: standing.worst.measure,
                shown: standing.shown,
                met: standing.met,
                since: standing.since,
            },
        );
    }
    let certain: Vec<Key> = emergencies(&listed);
    for (key, visit, firing) in corrections::pending(protocol, history, &signatures) {
        if !certain.contains(&key) {
            listed.insert(key, corrected(key, visit, firing));
        }
    }
    without_lesser(protocol, listed)
}

fn emergencies(listed: &BTreeMap<Key, Listed>) -> Vec<Key> {
    let emergencies = listed.values().filter(|entry| entry.severity == Severity::Emergency);
    emergencies.map(|entry| entry.key).collect()
}

fn without_lesser(protocol: &Protocol, listed: BTreeMap<Key, Listed>) -> BTreeMap<Key, Listed> {
    let keys: Vec<Key> = listed.keys().copied().collect();
    let hidden = |(finding, side): &Key| {
        let greater = protocol.findings[*finding].greater.iter();
        let mut standing = greater.map(|greater| (*greater, *side));
        standing.any(|greater| keys.contains(&greater))
    };
    listed.into_iter().filter(|(key, _)| !hidden(key)).collect()
}

fn corrected(key: Key, visit: &Visit, firing: &Firing) -> Listed {
    Listed {
        key,
        severity: firing.severity,
        status: Status::CorrectedPending,
        qualifiers: firing.qualifiers.clone(),
        measure: firing.measure.clone(),
        shown: visit.view.visit,
        met: vec![visit.view.visit],
        since: visit.view.visit,
    }
}

fn today(view: &View, firing: Firing) -> Listed {
    Listed {
        key: (firing.finding, firing.side),
        severity: firing.severity,
        status: Status::New,
        qualifiers: firing.qualifiers,
        measure: firing.measure,
        shown: view.visit,
        met: vec![view.visit],
        since: view.visit,
    }
}

/// The qualifiers that a finding had at the visit that is shown.
fn qualifiers(history: &History, (finding, side): Key, shown: usize) -> Vec<usize> {
    let visit = history.numbered(shown);
    let mut firings = visit.into_iter().flat_map(|visit| &visit.firings);
    let firing = firings.find(|firing| firing.is(finding, side));
    firing.map(|firing| firing.qualifiers.clone()).unwrap_or_default()
}

fn outcome(listed: &BTreeMap<Key, Listed>) -> Outcome {
    let active = |severity| {
        let mut entries = listed.values().filter(|entry| entry.status.is_active());
        entries.any(|entry| entry.severity == severity)
    };
    Outcome { active_emergency: active(Severity::Emergency), active_urgent: active(Severity::Urgent), above_info: None }
}

fn in_words(
    protocol: &Protocol,
    history: &History,
    listed: &BTreeMap<Key, Listed>,
    (view, state): (&View, &State),
) -> Vec<Finding> {
    let mut waits_for: Vec<&str> = listed
        .values()
        .filter(|entry| entry.severity == Severity::Emergency && entry.status.is_active())
        .map(|entry| protocol.findings[entry.key.0].code.as_str())
        .collect();
    waits_for.sort_unstable();
    let at = firing::context(protocol, view, state);
    let renderer = Renderer {
        protocol,
        history,
        last: (view, state),
        waits_for: waits_for.first().copied(),
        specialist: at.holds(&protocol.elective_when).is_yes(),
    };
    let mut findings: Vec<_> = listed.values().map(|entry| renderer.finding(entry)).collect();
    findings.sort_by(|one, other| order(one).cmp(&order(other)));
    findings
}

fn order(finding: &Finding) -> (Severity, &str, Option<crate::record::Side>) {
    (finding.severity, &finding.code, finding.side)
}
