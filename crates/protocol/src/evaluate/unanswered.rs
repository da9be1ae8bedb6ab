//! Fields that the protocol reads and nobody answered at a visit.

use serde_json::Value;

use crate::facts::{self, Fact, Kind, Trail, View};
use crate::logic::Truth;
use crate::record::{Author, Side, Tri};
use crate::rules::{Domain, FactRef, Place};
use crate::word::Word;

/// Scores and circumstances that are asked for beside plain answers.
const ASKED: [&str; 5] = ["leg_pain", "painful_dermatomes", "disability", "age", "pregnant"];

/// Facts that are no when something is missing; what they trace is what is missing.
const COMPLETE: [&str; 1] = ["work_status_known"];
const EXAMINED: [&str; 3] = ["motor_exam_complete", "reflex_exam_complete", "sensation_exam_complete"];

/// Facts that are asked only when there was an injury.
const OF_AN_INJURY: [&str; 3] = ["days_since_trauma", "high_energy", "fracture_suspected"];

/// The paths of all unanswered fields, sorted, each once.
pub(super) fn paths(view: &View) -> Vec<String> {
    let mut trail = Trail::default();
    let examined = view.submission.author != Author::Patient;
    for fact in facts::VISIT.iter().copied().flatten().filter(|fact| is_missing(fact, view, examined)) {
        fact.trace(view, (), &mut trail);
    }
    let raise = facts::find(facts::SIDE, "raise_hurts_leg").map(FactRef::Side).filter(|_| examined);
    let raises = Side::ALL.iter().map(|side| Place::Side(*side));
    let present = facts::find(facts::ITEM, "present").map(FactRef::Item);
    let items = Domain::Item.places().iter().copied();
    let placed = raises.filter_map(|place| Some((raise?, place)));
    for (fact, place) in placed.chain(items.filter_map(|place| Some((present?, place)))) {
        if !fact.is_known(view, place) {
            fact.trace(view, place, &mut trail);
        }
    }
    let open = trail.into_sources().into_iter().filter(|source| is_open(&source.value));
    let mut paths: Vec<_> = open.map(|source| source.path.into_owned()).collect();
    paths.sort();
    paths.dedup();
    paths
}

fn is_missing(fact: &Fact<()>, view: &View, examined: bool) -> bool {
    let among = |names: &[&str]| names.contains(&fact.name);
    if among(&COMPLETE) || among(&EXAMINED) {
        return (examined || among(&COMPLETE)) && fact.truth(view, ()) == Truth::No;
    }
    if among(&OF_AN_INJURY) {
        return view.report().trauma.occurred == Some(Tri::Yes) && !fact.is_known(view, ());
    }
    (matches!(fact.kind, Kind::Answer(_)) || among(&ASKED)) && !fact.is_known(view, ())
}

/// Whether a value answers nothing, or only a part of what was asked.
fn is_open(value: &Value) -> bool {
    match value {
        Value::String(word) => word == Tri::Unknown.as_str(),
        Value::Bool(_) | Value::Number(_) => false,
        Value::Null | Value::Array(_) | Value::Object(_) => true,
    }
}
