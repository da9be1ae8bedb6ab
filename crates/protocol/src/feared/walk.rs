//! Walking a body of any shape and gathering what names a danger, at its worst.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::blocks::Block;
use super::extent::{of_name, of_text};
use super::fields::{ALL, Leaf};
use super::names::Names;
use super::numbers::{are_all, millilitres, numbers, unit, unit_in};
use super::places::{Named, Place, is_block, is_of_an_answer};
use super::texts::{MOST_WRAPPED, json_in, looks_wrapped};
use super::values::{Answer, denies};
use crate::json::Room;
use crate::record::{CaudaEquinaItem, Movement, Side};

/// The strongest grade of strength.
const STRONGEST: f64 = 5.0;

/// What a body says at its worst.
pub(super) struct Signs {
    pub(super) items: BTreeSet<CaudaEquinaItem>,
    pub(super) answers: BTreeSet<&'static str>,
    pub(super) strength: BTreeMap<(Movement, &'static str), u8>,
    pub(super) residual: Option<f64>,
    pub(super) temperature: Option<f64>,
    /// Whether anything was read of a field on which an emergency can rest.
    pub(super) heard: bool,
    /// Whether an answer to such a field says something that is not understood.
    is_unclear: bool,
    /// Whether a name, an answer or a text of JSON is longer than what is read of it.
    is_cut: bool,
    names: Names,
    room: Room,
}

/// What the names around a value say of it.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// What it may be the answer to.
    leaves: &'a [Leaf],
    side: Option<Side>,
    /// It stands where the answer itself does, and not beside it.
    direct: bool,
    /// It stands among what is said to be absent.
    denied: bool,
    /// How many millilitres the unit may be that is named beside it.
    times: f64,
    wrapped: u8,
    /// The block that it is the content of.
    block: Option<Block>,
}

impl Signs {
    pub(super) fn of(body: &Value) -> Self {
        let mut signs = Self {
            items: BTreeSet::new(),
            answers: BTreeSet::new(),
            strength: BTreeMap::new(),
            residual: None,
            temperature: None,
            heard: false,
            is_unclear: false,
            is_cut: false,
            names: Names::default(),
            room: Room::default(),
        };
        signs.walk(
            body,
            Around { leaves: &[], side: None, direct: false, denied: false, times: 1.0, wrapped: 0, block: None },
        );
        signs
    }

    /// Whether more stands in the body than is read: an answer that is not understood, a longer name or answer, or more
    /// unknown names than are compared with the known ones.
    pub(super) fn are_of_a_part(&self) -> bool {
        self.is_unclear || self.is_cut || self.names.is_spent()
    }

    /// As deep as the body goes, which whoever read it has bounded.
    fn walk(&mut self, value: &Value, around: Around) {
        match value {
            Value::Object(fields) => self.walk_fields(fields, around),
            Value::Array(list) => list.iter().for_each(|value| self.walk_element(value, around)),
            Value::String(text) => {
                let held = if around.wrapped < MOST_WRAPPED { json_in(text, &self.room) } else { None };
                if let Some(value) = held {
                    return self.walk(&value, Around { wrapped: around.wrapped + 1, ..around });
                }
                self.is_cut |= looks_wrapped(text);
                self.note(value, around);
            }
            single => self.note(single, around),
        }
    }

    fn walk_fields(&mut self, fields: &Map<String, Value>, around: Around) {
        let named = Named::of(fields);
        if named.alone && !around.denied {
            named.leaves.iter().for_each(|leaf| self.affirm(*leaf));
        }
        let beside = fields.values().filter_map(Value::as_str).find_map(unit);
        for (long, value) in fields {
            let name = of_name(long);
            self.is_cut |= name != long;
            let (leaf, side) = self.names.read(name);
            let place = Place::of(name);
            let is_answer = place == Place::Answer || side.is_some();
            let (inherited, direct) = match (place, named.leaves.is_empty()) {
                (Place::Bookkeeping, _) => (&[][..], false),
                (_, true) => (around.leaves, around.direct && (is_answer || is_of_an_answer(name))),
                (_, false) if named.may_answer(place, side) => (&named.leaves[..], is_answer),
                (_, false) => (&[][..], false),
            };
            let within = Around {
                leaves: leaf.as_ref().map_or(inherited, std::slice::from_ref),
                side: side.or(named.side).or(around.side),
                direct: leaf.is_some() || direct,
                denied: around.denied || place == Place::Denied,
                times: unit_in(name).or(beside).unwrap_or(around.times),
                block: Block::named(name),
                ..around
            };
            let is_strange = leaf.is_none() && side.is_none() && named.leaves.is_empty();
            self.is_unclear |= is_strange && around.block.is_some_and(|block| block.may_hold(name, value));
            if let Some(text) = value.as_str().filter(|_| is_block(name)) {
                self.name_all(text, within);
            }
            self.walk(value, within);
        }
    }

    fn walk_element(&mut self, value: &Value, around: Around) {
        if let Value::String(text) = value {
            self.name_all(text, around);
        }
        self.walk(value, around);
    }

    /// A field that is named where its answer would stand is answered yes, unless the text denies it.
    fn name_all(&mut self, text: &str, around: Around) {
        for name in text.split([',', ';', '\n']).filter(|_| !around.denied) {
            if let Some(leaf) = ALL.in_value(name).0.filter(|_| !denies(&name.to_lowercase())) {
                self.affirm(leaf);
            }
        }
    }

    fn affirm(&mut self, leaf: Leaf) {
        self.heard = true;
        match leaf {
            Leaf::Item(item) => _ = self.items.insert(item),
            Leaf::Answer(name) => _ = self.answers.insert(name),
            Leaf::Strength(_) | Leaf::Residual | Leaf::Temperature => {}
        }
    }

    fn note(&mut self, value: &Value, around: Around) {
        self.is_cut |= !around.leaves.is_empty() && value.as_str().is_some_and(|text| of_text(text) != text);
        for leaf in around.leaves {
            let is_clear = match leaf {
                Leaf::Item(_) | Leaf::Answer(_) => self.note_answer(*leaf, Answer::of(value)),
                Leaf::Strength(movement) => {
                    let grades = numbers(value);
                    self.heard |= !grades.is_empty();
                    for grade in grades {
                        self.note_strength(*movement, around.side, grade);
                    }
                    are_all(value)
                }
                Leaf::Residual => {
                    self.residual = most(self.residual, millilitres(value, around.times));
                    self.heard |= self.residual.is_some();
                    are_all(value)
                }
                Leaf::Temperature => {
                    self.temperature =
                        numbers(value).into_iter().fold(self.temperature, |hottest, one| most(hottest, Some(one)));
                    self.heard |= self.temperature.is_some();
                    are_all(value)
                }
            };
            self.is_unclear |= around.direct && !is_clear;
        }
    }

    /// Whether the answer is understood.
    fn note_answer(&mut self, leaf: Leaf, answer: Answer) -> bool {
        match answer {
            Answer::Yes => self.affirm(leaf),
            Answer::No => self.heard = true,
            Answer::None | Answer::Unclear => {}
        }
        answer != Answer::Unclear
    }

    /// Half a grade counts as the grade below. A grade above the strongest says nothing.
    fn note_strength(&mut self, movement: Movement, side: Option<Side>, grade: f64) {
        if !(0.0..=STRONGEST).contains(&grade) {
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 5, rounded down")]
        let grade = grade as u8;
        let side = side.unwrap_or(Side::Left).as_str();
        let weakest = self.strength.entry((movement, side)).or_insert(grade);
        *weakest = grade.min(*weakest);
    }
}

fn most(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).max_by(f64::total_cmp)
}
