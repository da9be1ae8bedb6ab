//! What fires at one visit: every step of the protocol in its order.

use std::collections::BTreeMap;

use crate::assessment::Severity;
use crate::facts::View;
use crate::logic::Ratio;
use crate::protocol::{Ground, Limit, Protocol, Rule, Step};
use crate::record::Side;
use crate::rules::{Cell, Cond, Context, Meaning, Place, State};
use crate::word::Word;

/// One reason of a finding: a place of the body, or a ground by the number of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GroundKey {
    Place(Place),
    Named(usize),
}

/// How bad each ground is.
pub(super) type Measure = BTreeMap<GroundKey, i64>;

/// A finding that fired at a visit.
#[derive(Clone, Debug)]
pub(super) struct Firing {
    pub(super) finding: usize,
    pub(super) side: Option<Side>,
    pub(super) severity: Severity,
    /// The rule's qualifiers that hold, by number.
    pub(super) qualifiers: Vec<usize>,
    pub(super) measure: Measure,
}

impl Firing {
    pub(super) fn is(&self, finding: usize, side: Option<Side>) -> bool {
        self.finding == finding && self.side == side
    }
}

impl Rule {
    /// The limit of the rule at a severity.
    pub(super) fn limit_at(&self, severity: Severity) -> Option<Limit> {
        match &self.raised {
            Some(raised) if raised.to == severity => raised.limit,
            _ => self.limit,
        }
    }
}

/// The context of a visit as a whole.
pub(super) fn context<'c, 'r>(protocol: &'c Protocol, view: &'c View<'r>, state: &'c State) -> Context<'c, 'r> {
    Context {
        view,
        state,
        definitions: &protocol.definitions,
        findings: &protocol.conditions,
        at: Place::Visit,
        finding: None,
    }
}

/// Takes the steps in their order and returns what fired.
pub(super) fn run(protocol: &Protocol, view: &View, state: &mut State, steps: &[Step]) -> Vec<Firing> {
    let mut firings = Vec::new();
    for step in steps {
        match *step {
            Step::Define(slot) => define(protocol, view, state, slot),
            Step::Find(finding) => find(protocol, view, state, finding, &mut firings),
        }
    }
    firings
}

fn define(protocol: &Protocol, view: &View, state: &mut State, slot: usize) {
    let definition = &protocol.definitions[slot];
    if !definition.sided {
        let cell = context(protocol, view, state).define(definition, None);
        state.define(slot, None, cell);
        return;
    }
    let mut whole = Some(Ratio::whole(0));
    for side in Side::ALL.iter().copied() {
        let at = context(protocol, view, state).at(Place::Side(side));
        let cell = at.define(definition, Some(side));
        whole = whole.zip(cell.number()).and_then(|(sum, part)| sum.add(part));
        state.define(slot, Some(side), cell);
    }
    if let Meaning::Selection(..) = definition.meaning {
        state.define(slot, None, Cell::Number(whole));
    }
}

fn find(protocol: &Protocol, view: &View, state: &mut State, finding: usize, firings: &mut Vec<Firing>) {
    let (on_side, whole) = &protocol.conditions[finding];
    let sides = [Some(Side::Left), Some(Side::Right), None];
    for side in sides {
        state.fire(finding, side, false);
    }
    for side in sides {
        let cond: Option<&Cond> = if side.is_some() { on_side.as_ref() } else { whole.as_ref() };
        let Some(cond) = cond else { continue };
        let at = context(protocol, view, state).at(side.map_or(Place::Visit, Place::Side));
        if at.holds(cond).is_yes() {
            let firing = firing(&protocol.findings[finding], at, (finding, side), on_side.is_some());
            firings.push(firing);
            state.fire(finding, side, true);
        }
    }
}

fn firing(rule: &Rule, at: Context, (finding, side): (usize, Option<Side>), sided: bool) -> Firing {
    let raised = rule.raised.as_ref().filter(|raised| at.holds(&raised.when).is_yes());
    let severity = raised.map_or(rule.severity, |raised| raised.to);
    let qualifiers = rule.qualifiers.iter().enumerate();
    let held = qualifiers.filter(|(_, qualifier)| at.holds(&qualifier.when).is_yes());
    // A finding about a side that fires without one has no ground that could be compared.
    let measured = severity.is_grave() && (side.is_some() || !sided);
    Firing {
        finding,
        side,
        severity,
        qualifiers: held.map(|(index, _)| index).collect(),
        measure: if measured { measure(rule, at) } else { Measure::new() },
    }
}

/// How bad each ground of a finding is at this visit.
fn measure(rule: &Rule, at: Context) -> Measure {
    let mut measure = Measure::new();
    for ground in &rule.grounds {
        match ground {
            Ground::Condition { name, when } => {
                if at.holds(when).is_yes() {
                    measure.insert(GroundKey::Named(*name), 1);
                }
            }
            Ground::Number { name, worth } => {
                if let Some(worth) = at.number(worth) {
                    measure.insert(GroundKey::Named(*name), worth.floor());
                }
            }
            Ground::Places { definition, worth } => {
                for place in places(at, *definition) {
                    let worth = at.at(place).number(worth).map_or(1, Ratio::floor);
                    measure.insert(GroundKey::Place(place), worth);
                }
            }
        }
    }
    measure
}

/// The places that a definition selects, on the side the rule is bound to.
pub(super) fn places(at: Context, definition: usize) -> Vec<Place> {
    match &at.definitions[definition].meaning {
        Meaning::Selection(domain, cond) => at.selected(*domain, cond, at.at.side()).collect(),
        Meaning::Truth(_) | Meaning::Number(_) => Vec::new(),
    }
}
