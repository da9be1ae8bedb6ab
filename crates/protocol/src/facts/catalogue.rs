//! The form of a fact, and the tables of all of them by what they are about.

use serde_json::Value;

use crate::logic::{Ratio, Truth};
use crate::record::{CaudaEquinaItem, MotorSite, Side, SidedDermatome, Tri};
use crate::word::words;

use super::{ReflexSite, Trail, View};
use super::{cauda_equina, course, function, leg_raise, pain, reflexes, sensation, serious, strength};

/// One fact about a visit, or about a place `P` of the body at a visit.
pub(crate) struct Fact<P: 'static> {
    /// Its name in the protocol file.
    pub(crate) name: &'static str,
    /// What it says, for people.
    pub(crate) meaning: &'static str,
    pub(crate) family: Family,
    pub(crate) kind: Kind<P>,
    pub(crate) origin: Origin<P>,
}

/// What a fact yields.
pub(crate) enum Kind<P> {
    /// An answer as it was given.
    Answer(fn(&View, P) -> Option<Tri>),
    Truth(fn(&View, P) -> Truth),
    Number(Unit, fn(&View, P) -> Option<Ratio>),
}

/// Where a fact was read.
pub(crate) enum Origin<P> {
    /// One field of the submission; its value is the fact's.
    Visit(&'static str),
    /// One field of the patient or the episode; its value is the fact's.
    Episode(&'static str),
    /// Several fields, or fields of earlier visits.
    Several(fn(&View, P, &mut Trail)),
}

words! {
    /// What a fact is about: decides which findings may depend on it.
    pub(crate) Family {
        Symptoms = "symptoms",
        Examination = "examination",
        Screening = "screening",
        Trauma = "trauma",
        Treatment = "treatment",
        Age = "age",
        Predictor = "predictor",
        Timing = "timing",
        Elective = "elective",
        Outcome = "outcome",
    }
    /// What a number counts; numbers of two units are never compared.
    pub(crate) Unit {
        Count = "count",
        Millimetres = "mm",
        Points = "points",
        Percent = "percent",
        Days = "days",
        Years = "years",
        Grade = "grade",
        Degrees = "degrees",
        Celsius = "celsius",
        Millilitres = "mL",
        Root = "root",
    }
}

impl<P: Copy> Fact<P> {
    pub(crate) fn truth(&self, view: &View, place: P) -> Truth {
        match self.kind {
            Kind::Answer(answer) => Truth::from(answer(view, place)),
            Kind::Truth(truth) => truth(view, place),
            Kind::Number(..) => Truth::Unknown,
        }
    }

    pub(crate) fn number(&self, view: &View, place: P) -> Option<Ratio> {
        match self.kind {
            Kind::Number(_, number) => number(view, place),
            Kind::Answer(_) | Kind::Truth(_) => None,
        }
    }

    pub(crate) fn is_known(&self, view: &View, place: P) -> bool {
        match self.kind {
            Kind::Number(..) => self.number(view, place).is_some(),
            Kind::Answer(_) | Kind::Truth(_) => self.truth(view, place) != Truth::Unknown,
        }
    }

    /// The unit of a number, nothing for a truth.
    pub(crate) fn unit(&self) -> Option<Unit> {
        match self.kind {
            Kind::Number(unit, _) => Some(unit),
            Kind::Answer(_) | Kind::Truth(_) => None,
        }
    }

    /// Notes the fields that this fact was read from.
    pub(crate) fn trace(&self, view: &View, place: P, trail: &mut Trail) {
        match self.origin {
            Origin::Visit(path) => trail.note(path, self.value(view, place), Some(view.visit)),
            Origin::Episode(path) => trail.note(path, self.value(view, place), None),
            Origin::Several(trace) => trace(view, place, trail),
        }
    }

    fn value(&self, view: &View, place: P) -> Value {
        match self.kind {
            Kind::Answer(answer) => answer(view, place).map(Tri::as_str).into(),
            Kind::Truth(truth) => match truth(view, place) {
                Truth::Unknown => Value::Null,
                known => known.is_yes().into(),
            },
            Kind::Number(_, number) => number(view, place).map_or(Value::Null, shown),
        }
    }
}

/// A number as JSON, to a tenth.
pub(crate) fn shown(number: Ratio) -> Value {
    let tenths = number.tenths();
    if tenths % 10 == 0 {
        return (tenths / 10).into();
    }
    #[expect(clippy::cast_precision_loss, reason = "for showing only, far below 2^52")]
    let number = tenths as f64 / 10.0;
    number.into()
}

/// Facts about the visit as a whole.
pub(crate) static VISIT: &[&[Fact<()>]] = &[
    pain::VISIT,
    function::VISIT,
    strength::VISIT,
    reflexes::VISIT,
    sensation::VISIT,
    leg_raise::VISIT,
    cauda_equina::VISIT,
    serious::SCREEN,
    serious::VISIT,
    course::VISIT,
];

/// Facts about one side.
pub(crate) static SIDE: &[&[Fact<Side>]] = &[pain::SIDE, leg_raise::SIDE];

/// Facts about one movement of one side.
pub(crate) static MOVEMENT: &[&[Fact<MotorSite>]] = &[strength::MOVEMENT];

/// Facts about one reflex of one side.
pub(crate) static REFLEX: &[&[Fact<ReflexSite>]] = &[reflexes::REFLEX];

/// Facts about one dermatome of one side.
pub(crate) static DERMATOME: &[&[Fact<SidedDermatome>]] = &[sensation::DERMATOME];

/// Facts about one item of the cauda equina screen.
pub(crate) static ITEM: &[&[Fact<CaudaEquinaItem>]] = &[cauda_equina::ITEM];

/// The fact of that name.
pub(crate) fn find<P>(tables: &'static [&'static [Fact<P>]], name: &str) -> Option<&'static Fact<P>> {
    tables.iter().copied().flatten().find(|fact| fact.name == name)
}

/// An answer that stands in one field of the submission.
pub(super) const fn asked<P>(
    name: &'static str,
    family: Family,
    path: &'static str,
    answer: fn(&View, P) -> Option<Tri>,
    meaning: &'static str,
) -> Fact<P> {
    Fact { name, meaning, family, kind: Kind::Answer(answer), origin: Origin::Visit(path) }
}

/// An answer that stands in one field of the episode.
pub(super) const fn registered(
    name: &'static str,
    family: Family,
    path: &'static str,
    answer: fn(&View, ()) -> Option<Tri>,
    meaning: &'static str,
) -> Fact<()> {
    Fact { name, meaning, family, kind: Kind::Answer(answer), origin: Origin::Episode(path) }
}

/// A number with its unit.
pub(super) const fn counted<P>(
    name: &'static str,
    (family, unit): (Family, Unit),
    number: fn(&View, P) -> Option<Ratio>,
    origin: Origin<P>,
    meaning: &'static str,
) -> Fact<P> {
    Fact { name, meaning, family, kind: Kind::Number(unit, number), origin }
}

/// A truth that is more than one answer.
pub(super) const fn judged<P>(
    name: &'static str,
    family: Family,
    truth: fn(&View, P) -> Truth,
    origin: Origin<P>,
    meaning: &'static str,
) -> Fact<P> {
    Fact { name, meaning, family, kind: Kind::Truth(truth), origin }
}
