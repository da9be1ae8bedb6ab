//! Walking a body of any shape and gathering what names a danger, at its worst.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::blocks::{Block, is_beside};
use super::extent::{of_name, of_text};
use super::fields::{ALL, Leaf, is_name};
use super::names::{Names, plain};
use super::numbers::{are_all, celsius, millilitres, numbers, unit, unit_in};
use super::places::{Named, Place, is_block, is_naming, is_note, is_of_an_answer, is_sentence};
use super::texts::{MOST_WRAPPED, json_in, looks_wrapped};
use super::values::{Answer, denies};
use crate::json::Room;
use crate::record::{CaudaEquinaItem, Movement, Side};

/// The strongest grade of strength.
const STRONGEST: f64 = 5.0;

/// What a body says at its worst.
pub(super) struct Signs<'n> {
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
    names: &'n mut Names,
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
    /// The block that it stands in, at any depth.
    block: Option<Block>,
    tells: Tells,
}

/// What a value tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    Content,
    /// Free text, or a question in a sentence.
    Words,
    /// The name of something.
    Name,
}

impl<'n> Signs<'n> {
    pub(super) fn of(body: &Value, names: &'n mut Names) -> Self {
        let mut signs = Self {
            items: BTreeSet::new(),
            answers: BTreeSet::new(),
            strength: BTreeMap::new(),
            residual: None,
            temperature: None,
            heard: false,
            is_unclear: false,
            is_cut: false,
            names,
            room: Room::default(),
        };
        let nothing = Around {
            leaves: &[],
            side: None,
            direct: false,
            denied: false,
            times: 1.0,
            wrapped: 0,
            block: None,
            tells: Tells::Content,
        };
        signs.walk(body, nothing);
        signs
    }

    /// Whether more stands in the body than is read: an answer that is not understood, a longer name or answer, or more
    /// unknown names than are compared with the known ones.
    pub(super) fn are_of_a_part(&mut self) -> bool {
        self.names.take_missed() || self.is_unclear || self.is_cut
    }

    /// As deep as the body goes, which whoever read it has bounded.
    fn walk(&mut self, value: &Value, around: Around) {
        match value {
            Value::Object(fields) => self.walk_fields(fields, around),
            Value::Array(list) => self.walk_list(list, around),
            Value::String(text) => {
                let held = if around.wrapped < MOST_WRAPPED { json_in(text, &self.room) } else { None };
                if let Some(value) = held {
                    return self.walk(&value, Around { wrapped: around.wrapped + 1, ..around });
                }
                self.is_cut |= looks_wrapped(text);
                // A sentence names no field as machines do: it holds a form of another kind.
                self.is_unclear |= around.tells == Tells::Content && !is_name(text) && ALL.are_named_in(text);
                self.note(value, around);
            }
            single => self.note(single, around),
        }
    }

    fn walk_fields(&mut self, fields: &Map<String, Value>, around: Around) {
        let named = Named::of(fields);
        if named.alone && !around.denied && around.tells != Tells::Name {
            named.leaves.iter().for_each(|leaf| self.affirm(*leaf));
        }
        let before = (self.heard, self.is_unclear);
        self.heard = false;
        let beside = fields.values().filter_map(Value::as_str).find_map(unit);
        for (long, value) in fields {
            let name = of_name(long);
            self.is_cut |= name != long;
            let within = self.within(name, &named, around);
            let within = Around { times: unit_in(name).or(beside).unwrap_or(around.times), ..within };
            if let Some(text) = value.as_str().filter(|_| is_block(name)) {
                self.name_all(text, within);
            }
            self.walk(value, within);
        }
        let of_a_code = |name: &str| is_of_an_answer(name) || Place::of(name) == Place::Bookkeeping;
        let is_coded = around.direct && fields.keys().all(|name| of_a_code(of_name(name)));
        if is_coded && self.heard {
            // A code that is not known, with its meaning beside it.
            self.is_unclear = before.1;
        }
        let asks = !named.leaves.is_empty() && !named.alone && around.tells != Tells::Name;
        self.is_unclear |= asks && !self.heard && fields.iter().any(|(name, value)| says_something(name, value));
        self.heard |= before.0;
    }

    /// What is around the value of the field `name`.
    fn within<'a>(&mut self, name: &str, named: &'a Named, around: Around<'a>) -> Around<'a> {
        let place = Place::of(name);
        let (leaf, side) = self.names.read(name);
        let leaf = leaf.filter(|_| place != Place::Bookkeeping);
        let is_answer = place == Place::Answer || side.is_some();
        let (inherited, direct) = match (place, named.leaves.is_empty()) {
            (Place::Bookkeeping, _) => (&[][..], false),
            (_, true) => (around.leaves, around.direct && (is_answer || is_of_an_answer(name))),
            (_, false) if named.may_answer(place, side) => (&named.leaves[..], is_answer),
            (_, false) => (&[][..], false),
        };
        let beside = leaf.is_none() && is_beside(name, !inherited.is_empty());
        let leaves = leaf.map_or(if beside { &[] } else { inherited }, |leaf| leaf.alone());
        let block = Block::named(name).or(around.block).filter(|_| !beside);
        let is_question = !named.leaves.is_empty() && is_sentence(&plain(name));
        let tells = if is_naming(name) {
            Tells::Name
        } else if is_question || is_note(&plain(name)) {
            Tells::Words
        } else {
            Tells::Content
        };
        Around {
            leaves,
            side: side.or(named.side).or(around.side),
            direct: leaf.is_some() || direct || (block.is_some() && !leaves.is_empty()),
            denied: around.denied || place == Place::Denied,
            block: block.filter(|_| named.leaves.is_empty()),
            tells,
            ..around
        }
    }

    fn walk_list(&mut self, list: &[Value], around: Around) {
        // A name and its answer.
        if let [Value::String(name), value] = list
            && !value.is_object()
            && value.as_str().is_none_or(|text| ALL.in_value(text).0.is_none())
            && let (Some(leaf), side) = ALL.in_value(name)
        {
            let within = Around { leaves: leaf.alone(), side: side.or(around.side), direct: true, ..around };
            return self.walk(value, within);
        }
        for value in list {
            if let Value::String(text) = value {
                self.name_all(text, around);
            }
            self.walk(value, around);
        }
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
        if let (Some(block), []) = (around.block, around.leaves) {
            self.is_unclear |= !around.denied && block.fears(value);
        }
        let read = Read::of(value, around);
        for leaf in around.leaves {
            let is_clear = self.note_as(*leaf, &read, around.side);
            self.is_unclear |= around.direct && !is_clear;
        }
    }

    /// Notes what a value says of a field, and whether all of that is understood.
    fn note_as(&mut self, leaf: Leaf, read: &Read, side: Option<Side>) -> bool {
        match leaf {
            Leaf::Item(_) | Leaf::Answer(_) => return self.note_answer(leaf, read.answer),
            Leaf::Strength(movement) => {
                self.heard |= !read.numbers.is_empty();
                for grade in &read.numbers {
                    self.note_strength(movement, side, *grade);
                }
            }
            Leaf::Residual => {
                self.residual = most(self.residual, read.millilitres);
                self.heard |= self.residual.is_some();
            }
            Leaf::Temperature => {
                let hottest = read.numbers.iter().copied().map(celsius).max_by(f64::total_cmp);
                self.temperature = most(self.temperature, hottest);
                self.heard |= self.temperature.is_some();
            }
        }
        read.is_all_numbers
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

/// A value in every way in which it may answer, read once for all that it may answer.
struct Read {
    answer: Answer,
    numbers: Vec<f64>,
    millilitres: Option<f64>,
    is_all_numbers: bool,
}

impl Read {
    fn of(value: &Value, around: Around) -> Self {
        if around.leaves.is_empty() {
            return Self { answer: Answer::None, numbers: Vec::new(), millilitres: None, is_all_numbers: true };
        }
        let (answer, numbers) = (Answer::of(value), numbers(value));
        Self { answer, numbers, millilitres: millilitres(value, around.times), is_all_numbers: are_all(value) }
    }
}

/// Whether a field of an object that asks for something may hold the answer.
fn says_something(name: &str, value: &Value) -> bool {
    let is_blank = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    let names = value.as_str().is_some_and(|text| ALL.in_question(text).0.is_some());
    let name = of_name(name);
    !is_blank && !names && Place::of(name) != Place::Bookkeeping && !is_naming(name) && !is_note(&plain(name))
}

fn most(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).max_by(f64::total_cmp)
}
