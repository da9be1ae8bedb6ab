//! The neurological examination: strength, reflexes, sensation, straight leg raise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

use super::reader::Node;
use super::values::{blank, grade, word};
use super::words::{Dermatome, Movement, Reflex, Side, Tri};
use crate::word::Word;

/// A value of either side; each may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PerSide<T> {
    /// The left side's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<T>,
    /// The right side's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<T>,
}

impl<T> Default for PerSide<T> {
    fn default() -> Self {
        Self { left: None, right: None }
    }
}

impl<T: Copy> PerSide<T> {
    /// The value of one side.
    pub const fn get(&self, side: Side) -> Option<T> {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }
}

impl<T> PerSide<T> {
    pub(super) fn read(node: &Node, read: impl Fn(&Node) -> Option<T>) -> Option<Self> {
        let mut fields = node.fields()?;
        let both = Self { left: fields.optional("left", &read), right: fields.optional("right", &read) };
        fields.finish();
        Some(both)
    }
}

/// MRC grades 0 to 5 of each tested movement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Motor(pub BTreeMap<Movement, PerSide<u8>>);

/// A movement of one side, written as `right.great_toe_extension`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MotorSite {
    /// The side.
    pub side: Side,
    /// The movement.
    pub movement: Movement,
}

/// Reflex grades 0 (absent) to 4 (clonus); 2 is normal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reflexes(pub BTreeMap<Reflex, PerSide<u8>>);

/// Sensory grades of each dermatome: 0 normal, 1 altered, 2 absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sensation {
    /// The left side's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<Dermatome, u8>,
    /// The right side's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub right: BTreeMap<Dermatome, u8>,
}

/// The straight leg raise of either side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StraightLegRaise {
    /// The left leg raised.
    #[serde(skip_serializing_if = "blank")]
    pub left: StraightLegRaiseSide,
    /// The right leg raised.
    #[serde(skip_serializing_if = "blank")]
    pub right: StraightLegRaiseSide,
}

/// The straight leg raise of one leg.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StraightLegRaiseSide {
    /// It provokes the leg pain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leg_pain: Option<Tri>,
    /// At this angle, 0 to 90 degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub angle_deg: Option<u8>,
    /// It provokes the pain of the other leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossed: Option<Tri>,
}

impl Motor {
    /// The grade of a movement of one side.
    pub fn grade(&self, side: Side, movement: Movement) -> Option<u8> {
        self.0.get(&movement)?.get(side)
    }

    pub(super) fn read(node: &Node) -> Option<Self> {
        Some(Self(table(node, |n| PerSide::read(n, grade(5)))?))
    }
}

impl MotorSite {
    pub(super) fn read_all(node: &Node) -> Option<BTreeSet<Self>> {
        const MAX_LISTED: usize = 100;
        Some(node.each(MAX_LISTED, Self::read)?.into_iter().collect())
    }

    fn read(node: &Node) -> Option<Self> {
        let site = node.text()?.split_once('.').and_then(|(side, movement)| {
            let side = Side::from_word(side)?;
            let movement = Movement::from_word(movement)?;
            Some(Self { side, movement })
        });
        site.or_else(|| {
            let all: Vec<_> = Movement::ALL.iter().map(|m| m.as_str()).collect();
            node.refuse(format!("must be left or right, a point and one of {}", all.join(", ")))
        })
    }
}

impl fmt::Display for MotorSite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.side, self.movement)
    }
}

impl Serialize for MotorSite {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Reflexes {
    /// The grade of a reflex of one side.
    pub fn grade(&self, side: Side, reflex: Reflex) -> Option<u8> {
        self.0.get(&reflex)?.get(side)
    }

    pub(super) fn read(node: &Node) -> Option<Self> {
        Some(Self(table(node, |n| PerSide::read(n, grade(4)))?))
    }
}

impl Sensation {
    /// The grade of a dermatome of one side.
    pub fn grade(&self, side: Side, dermatome: Dermatome) -> Option<u8> {
        let grades = match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        };
        grades.get(&dermatome).copied()
    }

    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let sensation = Self {
            left: fields.block("left", |n| table(n, grade(2))),
            right: fields.block("right", |n| table(n, grade(2))),
        };
        fields.finish();
        Some(sensation)
    }
}

impl StraightLegRaise {
    /// The test of one leg.
    pub const fn get(&self, side: Side) -> &StraightLegRaiseSide {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    pub(super) fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let test = Self {
            left: fields.block("left", StraightLegRaiseSide::read),
            right: fields.block("right", StraightLegRaiseSide::read),
        };
        fields.finish();
        Some(test)
    }
}

impl StraightLegRaiseSide {
    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let side = Self {
            leg_pain: fields.optional("leg_pain", word),
            angle_deg: fields.optional("angle_deg", grade(90)),
            crossed: fields.optional("crossed", word),
        };
        fields.finish();
        Some(side)
    }
}

/// Reads an object whose field names are the words of `K`.
fn table<K: Word, V>(node: &Node, read: impl Fn(&Node) -> Option<V>) -> Option<BTreeMap<K, V>> {
    let mut fields = node.fields()?;
    let entry = |key: &K| Some((*key, fields.optional(key.as_str(), &read)?));
    let entries = K::ALL.iter().filter_map(entry).collect();
    fields.finish();
    Some(entries)
}
