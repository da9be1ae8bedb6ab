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

/// A field that an emergency can rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Item(CaudaEquinaItem),
    Answer(&'static str),
    Strength(Movement),
    Residual,
    Temperature,
}

/// All of them.
pub(super) static ALL: LazyLock<Fields> = LazyLock::new(Fields::new);

/// Fields by their plain names, which are looked for together.
pub(super) struct Fields {
    pub(super) named: Vec<(String, Leaf)>,
    finder: AhoCorasick,
}

impl Fields {
    fn new() -> Self {
        let items = CaudaEquinaItem::ALL.iter().map(|item| (item.as_str(), Leaf::Item(*item)));
        let answers = ANSWERS.iter().map(|name| (*name, Leaf::Answer(name)));
        let movements = Movement::ALL.iter().map(|movement| (movement.as_str(), Leaf::Strength(*movement)));
        let all = items.chain(answers).chain(movements).chain(NUMBERS);
        let named: Vec<_> = all.map(|(name, leaf)| (plain(name), leaf)).collect();
        let finder = AhoCorasick::new(named.iter().map(|(name, _)| name)).expect("the names are few and short");
        Self { named, finder }
    }

    /// The field and the side that a plain name stands for that is spelt right, whatever stands around it.
    pub(super) fn spelt(&self, name: &str) -> (Option<Leaf>, Option<Side>) {
        let (side, rest) = side_of(name);
        let longest = self.finder.find_overlapping_iter(&rest).min_by_key(|found| Reverse(found.len()));
        let Some(found) = longest else { return (None, side) };
        let beside = || side_of(&rest[found.end()..]).0.or_else(|| side_of(&rest[..found.start()]).0);
        (Some(self.named[found.pattern()].1), side.or_else(beside))
    }

    /// What the text of a value names, which is spelt right there and stands alone.
    pub(super) fn in_value(&self, text: &str) -> (Option<Leaf>, Option<Side>) {
        if is_name(text) { self.in_question(text) } else { (None, None) }
    }

    /// What a question asks for, in however many words, when it names it.
    pub(super) fn in_question(&self, text: &str) -> (Option<Leaf>, Option<Side>) {
        self.spelt(&plain(&legible(of_name(text))))
    }
}

/// Whether a text is as short as a name.
pub(super) const fn is_name(text: &str) -> bool {
    text.len() <= LONGEST
}
