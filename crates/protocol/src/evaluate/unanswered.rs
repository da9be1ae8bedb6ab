//! Fields that the protocol reads and nobody answered at a visit.

use crate::facts::{self, Kind, Trail, View};
use crate::record::Side;
use crate::rules::{Domain, FactRef, Place};
use crate::word::Word;

/// Facts that say whether an examination was complete; what they trace is what is missing.
const EXAMINATIONS: [&str; 3] = ["motor_exam_complete", "reflex_exam_complete", "sensation_exam_complete"];

/// Facts that are asked only when there was an injury.
const OF_AN_INJURY: [&str; 3] = ["days_since_trauma", "high_energy", "fracture_suspected"];

/// The paths of all unanswered fields, sorted, each once.
pub(super) fn paths(view: &View) -> Vec<String> {
    let mut trail = Trail::default();
    let examined = view.submission.author != crate::record::Author::Patient;
    let injured = view.report().trauma.occurred == Some(crate::record::Tri::Yes);
    for fact in facts::VISIT.iter().copied().flatten() {
        let examination = EXAMINATIONS.contains(&fact.name) && examined;
        if OF_AN_INJURY.contains(&fact.name) && !injured {
            continue;
        }
        if examination || (matches!(fact.kind, Kind::Answer(_)) && !fact.is_known(view, ())) {
            fact.trace(view, (), &mut trail);
        }
    }
    scores(view, &mut trail);
    for side in Side::ALL.iter().copied().filter(|_| examined) {
        let unknown = |fact: &&facts::Fact<Side>| !fact.is_known(view, side);
        let raise = facts::find(facts::SIDE, "raise_hurts_leg").filter(unknown);
        raise.inspect(|fact| fact.trace(view, side, &mut trail));
    }
    if let Some(present) = facts::find(facts::ITEM, "present").map(FactRef::Item) {
        for place in Domain::Item.places().iter().copied() {
            if !present.is_known(view, place) {
                present.trace(view, place, &mut trail);
            }
        }
    }
    sorted(trail)
}

fn scores(view: &View, trail: &mut Trail) {
    for name in ["leg_pain", "painful_dermatomes", "disability", "age", "pregnant", "work_status_known"] {
        let fact = facts::find(facts::VISIT, name).map(FactRef::Visit);
        if let Some(fact) = fact.filter(|fact| !fact.is_known(view, Place::Visit)) {
            fact.trace(view, Place::Visit, trail);
        }
    }
}

fn sorted(trail: Trail) -> Vec<String> {
    let sources = trail.into_sources().into_iter();
    let mut paths: Vec<_> = sources.map(|source| source.path.into_owned()).collect();
    paths.sort();
    paths.dedup();
    paths
}
