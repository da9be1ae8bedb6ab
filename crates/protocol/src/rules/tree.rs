//! The typed trees that rules are lowered to, their evaluation, and the evidence they used.

use crate::facts::{Trail, View};
use crate::logic::{Ratio, Truth};
use crate::record::Side;

use super::place::{Domain, FactRef, Place};
use super::state::{Cell, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// From which side a sided value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The side that the rule is bound to.
    Bound,
    Side(Side),
    /// Both sides together.
    Whole,
}

/// A condition.
#[derive(Clone)]
pub(crate) enum Cond {
    Literal(bool),
    /// An option of the protocol, by its number, with its value.
    Option(usize, bool),
    Fact(FactRef, Reach),
    Defined(usize, Reach),
    /// A finding fired at this visit.
    Found(usize, Reach),
    KnownFact(FactRef, Reach),
    KnownDefined(usize, Reach),
    Not(Box<Cond>),
    And(Vec<Cond>),
    Or(Vec<Cond>),
    Compare(Comparison, Num, Num),
}

/// A number.
#[derive(Clone)]
pub(crate) enum Num {
    Literal(Ratio),
    /// A threshold of the protocol, by its number, with its value.
    Threshold(usize, Ratio),
    Fact(FactRef, Reach),
    Defined(usize, Reach),
    Add(Box<Num>, Box<Num>),
    Subtract(Box<Num>, Box<Num>),
    Multiply(Box<Num>, Box<Num>),
}

/// What a name of the protocol file stands for.
#[derive(Clone)]
pub(crate) enum Meaning {
    Truth(Cond),
    Number(Num),
    /// The number of places of a domain where the condition holds.
    Selection(Domain, Cond),
}

/// A definition as it is evaluated.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) meaning: Meaning,
    /// It has a value for each side.
    pub(crate) sided: bool,
}

/// Everything a tree is evaluated in.
#[derive(Clone, Copy)]
pub(crate) struct Context<'c, 'r> {
    pub(crate) view: &'c View<'r>,
    pub(crate) state: &'c State,
    pub(crate) definitions: &'c [Definition],
    /// The conditions of each finding: on a side, and as a whole.
    pub(crate) findings: &'c [(Option<Cond>, Option<Cond>)],
    pub(crate) at: Place,
    /// The finding whose evidence is followed, so that one that reads its own sides ends there.
    pub(crate) finding: Option<usize>,
}

impl<'c, 'r> Context<'c, 'r> {
    pub(crate) fn at(self, at: Place) -> Self {
        Self { at, ..self }
    }

    fn place(&self, reach: Reach) -> Place {
        match reach {
            Reach::Bound => self.at,
            Reach::Side(side) => Place::Side(side),
            Reach::Whole => Place::Visit,
        }
    }

    fn side(&self, reach: Reach) -> Option<Side> {
        self.place(reach).side()
    }

    pub(crate) fn holds(&self, cond: &Cond) -> Truth {
        match cond {
            Cond::Literal(value) | Cond::Option(_, value) => (*value).into(),
            Cond::Fact(fact, reach) => fact.truth(self.view, self.place(*reach)),
            Cond::Defined(slot, reach) => self.state.defined(*slot, self.side(*reach)).truth(),
            Cond::Found(finding, reach) => self.found(*finding, *reach).into(),
            Cond::KnownFact(fact, reach) => fact.is_known(self.view, self.place(*reach)).into(),
            Cond::KnownDefined(slot, reach) => self.state.defined(*slot, self.side(*reach)).is_known().into(),
            Cond::Not(inner) => self.holds(inner).not(),
            Cond::And(all) => self.fold(all, Truth::Yes, Truth::No, Truth::and),
            Cond::Or(any) => self.fold(any, Truth::No, Truth::Yes, Truth::or),
            Cond::Compare(comparison, left, right) => match (self.number(left), self.number(right)) {
                (Some(left), Some(right)) => comparison.holds(left, right).into(),
                _ => Truth::Unknown,
            },
        }
    }

    fn fold(&self, all: &[Cond], from: Truth, last: Truth, join: fn(Truth, Truth) -> Truth) -> Truth {
        let mut so_far = from;
        for cond in all {
            so_far = join(so_far, self.holds(cond));
            if so_far == last {
                break;
            }
        }
        so_far
    }

    fn found(&self, finding: usize, reach: Reach) -> bool {
        match reach {
            Reach::Whole => self.state.fired_anywhere(finding),
            _ => self.state.fired(finding, self.side(reach)),
        }
    }

    pub(crate) fn number(&self, number: &Num) -> Option<Ratio> {
        match number {
            Num::Literal(value) | Num::Threshold(_, value) => Some(*value),
            Num::Fact(fact, reach) => fact.number(self.view, self.place(*reach)),
            Num::Defined(slot, reach) => self.state.defined(*slot, self.side(*reach)).number(),
            Num::Add(left, right) => self.number(left)?.add(self.number(right)?),
            Num::Subtract(left, right) => self.number(left)?.subtract(self.number(right)?),
            Num::Multiply(left, right) => self.number(left)?.multiply(self.number(right)?),
        }
    }

    /// The places of a selection on the side reached where its condition holds.
    pub(crate) fn selected<'s>(
        &'s self,
        domain: Domain,
        cond: &'s Cond,
        side: Option<Side>,
    ) -> impl Iterator<Item = Place> + use<'s, 'c, 'r> {
        let here = move |place: &Place| side.is_none() || place.side() == side;
        let places = domain.places().iter().copied().filter(here);
        places.filter(move |place| self.at(*place).holds(cond).is_yes())
    }

    /// Evaluates a definition for one side, or as a whole.
    pub(crate) fn define(&self, definition: &Definition, side: Option<Side>) -> Cell {
        match &definition.meaning {
            Meaning::Truth(cond) => Cell::Truth(self.holds(cond)),
            Meaning::Number(number) => Cell::Number(self.number(number)),
            Meaning::Selection(domain, cond) => {
                let count = self.selected(*domain, cond, side).count();
                Cell::Number(i64::try_from(count).ok().map(Ratio::whole))
            }
        }
    }

    /// Notes the facts that made the condition what it is.
    pub(crate) fn trace(&self, cond: &Cond, trail: &mut Trail) {
        match cond {
            Cond::Literal(_) | Cond::Option(..) => {}
            Cond::Fact(fact, reach) | Cond::KnownFact(fact, reach) => {
                fact.trace(self.view, self.place(*reach), trail);
            }
            Cond::Defined(slot, reach) | Cond::KnownDefined(slot, reach) => {
                self.trace_defined(*slot, *reach, trail);
            }
            Cond::Found(finding, reach) => self.trace_found(*finding, *reach, trail),
            Cond::Not(inner) => self.trace(inner, trail),
            Cond::And(all) | Cond::Or(all) => {
                let whole = self.holds(cond);
                let decides = matches!((cond, whole), (Cond::Or(_), Truth::Yes) | (Cond::And(_), Truth::No));
                for part in all {
                    if !decides || self.holds(part) == whole {
                        self.trace(part, trail);
                    }
                }
            }
            Cond::Compare(_, left, right) => {
                self.trace_number(left, trail);
                self.trace_number(right, trail);
            }
        }
    }

    fn trace_number(&self, number: &Num, trail: &mut Trail) {
        match number {
            Num::Literal(_) | Num::Threshold(..) => {}
            Num::Fact(fact, reach) => fact.trace(self.view, self.place(*reach), trail),
            Num::Defined(slot, reach) => self.trace_defined(*slot, *reach, trail),
            Num::Add(left, right) | Num::Subtract(left, right) | Num::Multiply(left, right) => {
                self.trace_number(left, trail);
                self.trace_number(right, trail);
            }
        }
    }

    fn trace_defined(&self, slot: usize, reach: Reach, trail: &mut Trail) {
        let inside = self.at(self.place(reach));
        match &self.definitions[slot].meaning {
            Meaning::Truth(cond) => inside.trace(cond, trail),
            Meaning::Number(number) => inside.trace_number(number, trail),
            Meaning::Selection(domain, cond) => {
                for place in self.selected(*domain, cond, self.side(reach)) {
                    self.at(place).trace(cond, trail);
                }
            }
        }
    }

    fn trace_found(&self, finding: usize, reach: Reach, trail: &mut Trail) {
        let (on_side, whole) = &self.findings[finding];
        let itself = self.finding == Some(finding);
        let inside = Self { finding: Some(finding), ..*self };
        let sides = [Some(Side::Left), Some(Side::Right), None];
        let reached = |side: &Option<Side>| reach == Reach::Whole || *side == self.side(reach);
        for side in sides.into_iter().filter(reached) {
            let cond = if side.is_some() { on_side } else { whole };
            if let Some(cond) = cond
                && self.state.fired(finding, side)
                && !(itself && side.is_none())
            {
                inside.at(side.map_or(Place::Visit, Place::Side)).trace(cond, trail);
            }
        }
    }
}

impl Comparison {
    fn holds(self, left: Ratio, right: Ratio) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Above => left > right,
            Self::AtLeast => left >= right,
        }
    }
}
