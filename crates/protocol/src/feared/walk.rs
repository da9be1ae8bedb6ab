//! Walking a body of any shape and gathering what names a danger, at its worst.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::extent::{may_be_json, of_name, of_text};
use super::names::{Leaf, Names};
use super::numbers::{millilitres, numbers};
use super::places::{Named, Place, is_block};
use super::values::{affirms, denies, is_answer};
use crate::record::{CaudaEquinaItem, Movement, Side};

/// The strongest grade of strength.
const STRONGEST: f64 = 5.0;

/// As often as a text may hold JSON in a text of JSON.
const MOST_WRAPPED: u8 = 4;

/// What a body says at its worst.
pub(super) struct Signs {
    pub(super) items: BTreeSet<CaudaEquinaItem>,
    pub(super) answers: BTreeSet<&'static str>,
    pub(super) strength: BTreeMap<(Movement, &'static str), u8>,
    pub(super) residual: Option<f64>,
    pub(super) temperature: Option<f64>,
    /// Whether anything was read of a field on which an emergency can rest.
    pub(super) heard: bool,
    /// Whether a name or an answer is longer than what is read of it.
    is_cut: bool,
    names: Names,
}

/// What the names around a value say of it.
#[derive(Clone, Copy, Default)]
struct Around {
    leaf: Option<Leaf>,
    side: Option<Side>,
    /// It stands among what is said to be absent.
    denied: bool,
    wrapped: u8,
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
            is_cut: false,
            names: Names::new(),
        };
        signs.walk(body, Around::default());
        signs
    }

    /// Whether more stands in the body than is read: a longer name or answer, or more unknown names than are compared with
    /// the known ones.
    pub(super) fn are_of_a_part(&self) -> bool {
        self.is_cut || self.names.is_spent()
    }

    /// As deep as the body goes, which whoever read it has bounded.
    fn walk(&mut self, value: &Value, around: Around) {
        match value {
            Value::Object(fields) => self.walk_fields(fields, around),
            Value::Array(list) => list.iter().for_each(|value| self.walk_element(value, around)),
            Value::String(text) => {
                if let Some(value) = wrapped(text).filter(|_| around.wrapped < MOST_WRAPPED) {
                    return self.walk(&value, Around { wrapped: around.wrapped + 1, ..around });
                }
                self.is_cut |= looks_wrapped(text);
                self.note(value, around);
            }
            single => self.note(single, around),
        }
    }

    fn walk_fields(&mut self, fields: &Map<String, Value>, around: Around) {
        let named = Named::of(fields, &self.names);
        if let (Some(leaf), true) = (named.leaf, named.alone && !around.denied) {
            self.affirm(leaf);
        }
        for (long, value) in fields {
            let name = of_name(long);
            self.is_cut |= name != long;
            let (leaf, side) = self.names.read(name);
            let place = Place::of(name);
            let inherited = named.leaf.map_or(around.leaf, |leaf| named.may_answer(place, side).then_some(leaf));
            let inherited = inherited.filter(|_| place != Place::Bookkeeping);
            let within = Around {
                leaf: leaf.or(inherited),
                side: side.or(named.side).or(around.side),
                denied: around.denied || place == Place::Denied,
                ..around
            };
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
            if let Some(leaf) = self.names.in_value(name).0.filter(|_| !denies(&name.to_lowercase())) {
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
        self.is_cut |= around.leaf.is_some() && value.as_str().is_some_and(|text| of_text(text) != text);
        match around.leaf {
            Some(leaf @ (Leaf::Item(_) | Leaf::Answer(_))) if affirms(value) => self.affirm(leaf),
            Some(Leaf::Item(_) | Leaf::Answer(_)) => self.heard |= is_answer(value),
            Some(Leaf::Strength(movement)) => {
                let grades = numbers(value);
                self.heard |= !grades.is_empty();
                for grade in grades {
                    self.note_strength(movement, around.side, grade);
                }
            }
            Some(Leaf::Residual) => {
                self.residual = most(self.residual, millilitres(value));
                self.heard |= self.residual.is_some();
            }
            Some(Leaf::Temperature) => {
                self.temperature =
                    numbers(value).into_iter().fold(self.temperature, |hottest, one| most(hottest, Some(one)));
                self.heard |= self.temperature.is_some();
            }
            None => {}
        }
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

/// The JSON that a text holds.
fn wrapped(text: &str) -> Option<Value> {
    let text = text.trim();
    (text.starts_with(['{', '[', '"']) && may_be_json(text)).then(|| serde_json::from_str(text).ok()).flatten()
}

/// Whether a text begins as JSON does that holds a name or a list of them, behind signs that nobody sees.
fn looks_wrapped(text: &str) -> bool {
    let mut signs = text.chars().filter(|sign| !(sign.is_whitespace() || matches!(sign, '\u{feff}' | '\u{200b}')));
    let first = signs.next();
    matches!((first, signs.next()), (Some('{'), Some('"')) | (Some('['), Some('{' | '[' | '"')))
}

fn most(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).max_by(f64::total_cmp)
}
