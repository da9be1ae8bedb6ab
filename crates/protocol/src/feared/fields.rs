//! The fields that emergencies rest on, and where a text names them.

use std::cmp::Reverse;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use lasegue_values::legible;

use super::extent::of_name;
use super::names::{plain, side_of};
use crate::record::{CaudaEquinaItem, Movement, Side, Word};

/// A name longer than this, in bytes, stands for a field only where it holds the field's own.
pub(super) const LONGEST: usize = 64;

/// The answers of the serious block, and of the patient who noticed weakness, on which an emergency can rest.
const ANSWERS: [&str; 9] = [
    "new_weakness",
    "fever",
    "iv_drug_use",
    "immunosuppressed",
    "recent_infection_or_procedure",
    "cancer_history",
    "weight_loss",
    "night_pain",
    "anticoagulant",
];

/// The numbers on which one can rest, with the unit in their names or without.
const NUMBERS: [(&str, Leaf); 2] = [("post_void_residual", Leaf::Residual), ("temperature", Leaf::Temperature)];

/// Other names of such fields, which are known spelt right and as names alone.
const ALIASES: [(&str, Leaf); 6] = [
    ("saddle", Leaf::Item(CaudaEquinaItem::SaddleSensation)),
    ("perianal", Leaf::Item(CaudaEquinaItem::SaddleSensation)),
    ("perineal", Leaf::Item(CaudaEquinaItem::SaddleSensation)),
    ("retention", Leaf::Item(CaudaEquinaItem::UrinaryRetention)),
    ("incontinence", Leaf::Item(CaudaEquinaItem::UrinaryLeakage)),
    ("pvr", Leaf::Residual),
];

/// A field that an emergency can rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Item(CaudaEquinaItem),
    Answer(&'static str),
    Strength(Movement),
    Residual,
    Temperature,
}

impl Leaf {
    /// Nothing but this one.
    pub(super) fn alone(self) -> &'static [Self] {
        let number = ALL.leaves.iter().position(|leaf| *leaf == self);
        number.map_or(&[], |number| &ALL.leaves[number..=number])
    }
}

/// All of them.
pub(super) static ALL: LazyLock<Fields> = LazyLock::new(Fields::new);

/// Fields by their plain names, which are looked for together.
pub(super) struct Fields {
    pub(super) named: Vec<(String, Leaf)>,
    leaves: Vec<Leaf>,
    finder: AhoCorasick,
    /// The names of several words, as they are written.
    written: AhoCorasick,
}

impl Fields {
    fn new() -> Self {
        let items = CaudaEquinaItem::ALL.iter().map(|item| (item.as_str(), Leaf::Item(*item)));
        let answers = ANSWERS.iter().map(|name| (*name, Leaf::Answer(name)));
        let movements = Movement::ALL.iter().map(|movement| (movement.as_str(), Leaf::Strength(*movement)));
        let all = items.chain(answers).chain(movements).chain(NUMBERS);
        let all: Vec<_> = all.collect();
        let written = AhoCorasick::new(all.iter().map(|(name, _)| name).filter(|name| name.contains('_')));
        let named: Vec<_> = all.iter().map(|(name, leaf)| (plain(name), *leaf)).collect();
        let all = named.iter().map(|(name, _)| name.as_str()).chain(ALIASES.map(|(name, _)| name));
        let finder = AhoCorasick::new(all).expect("the names are few and short");
        let leaves = named.iter().map(|(_, leaf)| *leaf).collect();
        Self { named, leaves, finder, written: written.expect("the names are few and short") }
    }

    /// The field and the side that a plain name stands for that is spelt right, whatever stands around it.
    pub(super) fn spelt(&self, name: &str) -> (Option<Leaf>, Option<Side>) {
        self.within(name, self.named.len() + ALIASES.len())
    }

    /// The same by the first `known` of the names.
    fn within(&self, name: &str, known: usize) -> (Option<Leaf>, Option<Side>) {
        let (side, rest) = side_of(name);
        let found = self.finder.find_overlapping_iter(&rest).filter(|found| found.pattern().as_usize() < known);
        let Some(found) = found.min_by_key(|found| Reverse(found.len())) else { return (None, side) };
        let beside = || side_of(&rest[found.end()..]).0.or_else(|| side_of(&rest[..found.start()]).0);
        (Some(self.leaf(found.pattern().as_usize())), side.or_else(beside))
    }

    fn leaf(&self, number: usize) -> Leaf {
        let own = self.named.get(number).map(|(_, leaf)| *leaf);
        own.unwrap_or_else(|| ALIASES[number - self.named.len()].1)
    }

    /// Whether a text holds the name of a field as machines write it.
    pub(super) fn are_named_in(&self, text: &str) -> bool {
        self.written.is_match(text)
    }

    /// What the text of a value names, which is spelt right there and stands alone.
    pub(super) fn in_value(&self, text: &str) -> (Option<Leaf>, Option<Side>) {
        if is_name(text) { self.in_question(text) } else { (None, None) }
    }

    /// What a question asks for, in however many words, when it names it.
    pub(super) fn in_question(&self, text: &str) -> (Option<Leaf>, Option<Side>) {
        self.within(&plain(&legible(of_name(text))), self.named.len())
    }
}

/// Whether a text is as short as a name.
pub(super) const fn is_name(text: &str) -> bool {
    text.len() <= LONGEST
}
