//! Places: what a rule is bound to while it is evaluated, and facts that are read there.

use std::sync::OnceLock;

use crate::facts::{Fact, Family, ReflexSite, Trail, Unit, View};
use crate::logic::{Ratio, Truth};
use crate::record::{CaudaEquinaItem, Dermatome, MotorSite, Movement, Reflex, Side, SidedDermatome};
use crate::word::{Word, words};

words! {
    /// Places that a definition can select among.
    pub(crate) Domain {
        Movement = "movement", Reflex = "reflex", Dermatome = "dermatome", Item = "item",
    }
}

/// What a rule is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Visit,
    Side(Side),
    Movement(MotorSite),
    Reflex(ReflexSite),
    Dermatome(SidedDermatome),
    Item(CaudaEquinaItem),
}

impl Place {
    pub(crate) const fn side(self) -> Option<Side> {
        match self {
            Self::Visit | Self::Item(_) => None,
            Self::Side(side) => Some(side),
            Self::Movement(at) => Some(at.side),
            Self::Reflex(at) => Some(at.side),
            Self::Dermatome(at) => Some(at.side),
        }
    }

    /// Whether the examination of this visit covered the place.
    pub(crate) fn is_examined(self, view: &View) -> bool {
        let report = view.report();
        match self {
            Self::Visit | Self::Side(_) | Self::Item(_) => true,
            Self::Movement(at) => report.motor.grade(at.side, at.movement).is_some(),
            Self::Reflex(at) => report.reflexes.grade(at.side, at.reflex).is_some(),
            Self::Dermatome(at) => report.sensation.grade(at.side, at.dermatome).is_some(),
        }
    }

    /// The place as a key, as `right.ankle`.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Visit => String::new(),
            Self::Side(side) => side.to_string(),
            Self::Movement(at) => at.to_string(),
            Self::Reflex(at) => format!("{}.{}", at.side, at.reflex),
            Self::Dermatome(at) => format!("{}.{}", at.side, at.dermatome),
            Self::Item(item) => item.to_string(),
        }
    }
}

impl Domain {
    /// Whether its places lie on one side of the body.
    pub(crate) const fn is_sided(self) -> bool {
        !matches!(self, Self::Item)
    }

    /// All its places, in a fixed order.
    pub(crate) fn places(self) -> &'static [Place] {
        static PLACES: OnceLock<[Vec<Place>; 4]> = OnceLock::new();
        let [movements, reflexes, dermatomes, items] = PLACES.get_or_init(all_places);
        match self {
            Self::Movement => movements,
            Self::Reflex => reflexes,
            Self::Dermatome => dermatomes,
            Self::Item => items,
        }
    }
}

fn all_places() -> [Vec<Place>; 4] {
    [
        sided(|side, movement: Movement| Place::Movement(MotorSite { side, movement })),
        sided(|side, reflex: Reflex| Place::Reflex(ReflexSite { side, reflex })),
        sided(|side, dermatome: Dermatome| Place::Dermatome(SidedDermatome { side, dermatome })),
        CaudaEquinaItem::ALL.iter().copied().map(Place::Item).collect(),
    ]
}

fn sided<W: Word>(place: impl Fn(Side, W) -> Place) -> Vec<Place> {
    let each = |side: &Side| {
        let side = *side;
        W::ALL.iter().map(move |word| (side, *word))
    };
    Side::ALL.iter().flat_map(each).map(|(side, word)| place(side, word)).collect()
}
/// A fact of any table, to be read at a place of its kind.
#[derive(Clone, Copy)]
pub(crate) enum FactRef {
    Visit(&'static Fact<()>),
    Side(&'static Fact<Side>),
    Movement(&'static Fact<MotorSite>),
    Reflex(&'static Fact<ReflexSite>),
    Dermatome(&'static Fact<SidedDermatome>),
    Item(&'static Fact<CaudaEquinaItem>),
}

/// Applies one method of the fact at the place; `$else` if the place is of another kind, which
/// loading rules out.
macro_rules! read {
    ($self:expr, $at:expr, $else:expr, |$fact:ident, $place:ident| $apply:expr) => {
        match ($self, $at) {
            (FactRef::Visit($fact), _) => {
                let $place = ();
                $apply
            }
            (FactRef::Side($fact), at) => match at.side() {
                Some($place) => $apply,
                None => $else,
            },
            (FactRef::Movement($fact), Place::Movement($place)) => $apply,
            (FactRef::Reflex($fact), Place::Reflex($place)) => $apply,
            (FactRef::Dermatome($fact), Place::Dermatome($place)) => $apply,
            (FactRef::Item($fact), Place::Item($place)) => $apply,
            _ => $else,
        }
    };
}

/// Applies one expression to the fact, whatever its table.
macro_rules! any {
    ($self:expr, |$fact:ident| $apply:expr) => {
        match $self {
            FactRef::Visit($fact) => $apply,
            FactRef::Side($fact) => $apply,
            FactRef::Movement($fact) => $apply,
            FactRef::Reflex($fact) => $apply,
            FactRef::Dermatome($fact) => $apply,
            FactRef::Item($fact) => $apply,
        }
    };
}

impl FactRef {
    pub(crate) fn truth(self, view: &View, at: Place) -> Truth {
        read!(self, at, Truth::Unknown, |fact, place| fact.truth(view, place))
    }

    pub(crate) fn number(self, view: &View, at: Place) -> Option<Ratio> {
        read!(self, at, None, |fact, place| fact.number(view, place))
    }

    pub(crate) fn is_known(self, view: &View, at: Place) -> bool {
        read!(self, at, false, |fact, place| fact.is_known(view, place))
    }

    pub(crate) fn trace(self, view: &View, at: Place, trail: &mut Trail) {
        read!(self, at, (), |fact, place| fact.trace(view, place, trail));
    }

    pub(crate) fn unit(self) -> Option<Unit> {
        any!(self, |fact| fact.unit())
    }

    pub(crate) fn family(self) -> Family {
        any!(self, |fact| fact.family)
    }

    pub(crate) fn name(self) -> &'static str {
        any!(self, |fact| fact.name)
    }
}
