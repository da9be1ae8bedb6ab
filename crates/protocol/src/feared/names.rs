//! Which of the fields that emergencies rest on a name stands for, misspelt or not.

use std::collections::HashMap;

use lasegue_values::legible;

use super::fields::{ALL, LONGEST, Leaf};
use crate::record::{Side, Word};
use crate::suggest::ALIKE;

/// As many names of one body, or of one record, as are compared with the known ones when they hold none of them: misspellings are few.
const MOST_COMPARED: usize = 500;

/// The blocks in which such fields stand, plain.
const BLOCKS: [&str; 3] = ["caudaequina", "motor", "serious"];

/// What parts the names of blocks and fields in one name.
const PARTS: [char; 8] = ['.', '/', '[', ']', ':', '#', '>', '|'];

/// The unknown names that were compared with the known ones.
#[derive(Default)]
pub(super) struct Names {
    compared: HashMap<String, Option<Leaf>>,
    missed: bool,
}

impl Names {
    /// Whether there was an unknown name, since this was asked last, that was compared with none: so many were before it.
    pub(super) fn take_missed(&mut self) -> bool {
        std::mem::take(&mut self.missed)
    }

    /// The field and the side that a name stands for, as far as it does.
    pub(super) fn read(&mut self, name: &str) -> (Option<Leaf>, Option<Side>) {
        let name = legible(name);
        let whole = plain(&name);
        let (leaf, side) = ALL.spelt(&whole);
        if leaf.is_some() {
            return (leaf, side);
        }
        let parts: Vec<_> = name.split(PARTS).map(plain).filter(|part| !part.is_empty()).collect();
        let of_part = parts.iter().filter(|_| parts.len() > 1).find_map(|part| self.misspelt(&side_of(part).1));
        let beside = || after_block(&side_of(&whole).1).to_owned();
        let leaf = of_part.or_else(|| if parts.len() > 2 { None } else { self.misspelt(&beside()) });
        (leaf, side.or_else(|| parts.iter().find_map(|part| side_of(part).0)))
    }

    fn misspelt(&mut self, name: &str) -> Option<Leaf> {
        if let Some(leaf) = self.compared.get(name) {
            return *leaf;
        }
        if name.is_empty() || name.len() > LONGEST {
            return None;
        }
        if self.compared.len() >= MOST_COMPARED {
            self.missed = true;
            return None;
        }
        let near = ALL.named.iter().filter(|(known, _)| are_alike(name, known));
        let leaf = near.max_by(|one, other| likeness(name, &one.0).total_cmp(&likeness(name, &other.0)));
        let leaf = leaf.map(|(_, leaf)| *leaf);
        self.compared.insert(name.to_owned(), leaf);
        leaf
    }
}

/// What follows the name of a block in a plain name.
fn after_block(name: &str) -> &str {
    BLOCKS.iter().find_map(|block| name.split_once(block)).map_or(name, |(_, after)| after)
}

/// A name without case, blanks and signs.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for sign in name.chars().filter(|sign| sign.is_alphanumeric()) {
        // The tables of Unicode take ten times as long.
        if sign.is_ascii() {
            plain.push(sign.to_ascii_lowercase());
        } else {
            plain.extend(sign.to_lowercase());
        }
    }
    plain
}

/// Whether two plain names are one, spelt differently.
pub(super) fn are_alike(one: &str, other: &str) -> bool {
    let longer = one.len().max(other.len());
    // A quarter of the longer name is as much as may differ.
    longer <= LONGEST && 4 * one.len().abs_diff(other.len()) <= longer && likeness(one, other) >= ALIKE
}

fn likeness(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(one, other)
}

/// The side in a plain name, and what is left of the name.
pub(super) fn side_of(name: &str) -> (Option<Side>, String) {
    for side in Side::ALL {
        let word = side.as_str();
        if are_alike(name, word) || *name == word[..1] {
            return (Some(*side), String::new());
        }
        if let Some(rest) = name.strip_prefix(word).or_else(|| name.strip_suffix(word)) {
            return (Some(*side), rest.to_owned());
        }
    }
    (None, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{CaudaEquinaItem, Movement};

    fn leaf(name: &str) -> Option<Leaf> {
        Names::default().read(name).0
    }

    #[test]
    fn case_signs_and_spelling_are_forgiven() {
        let saddle = Some(Leaf::Item(CaudaEquinaItem::SaddleSensation));
        for name in ["saddle_sensation", "SaddleSensation", "saddle-sensation", "Saddle sensation", "sadle_senstaion"] {
            assert_eq!(leaf(name), saddle, "{name}");
        }
        assert_eq!(leaf("post_void_residual"), Some(Leaf::Residual));
        assert_eq!(leaf("temperature"), Some(Leaf::Temperature));
        for other in ["", "id", "pain", "paddle", "value", "dermatomes", "attention"] {
            assert_eq!(leaf(other), None, "{other}");
        }
    }

    #[test]
    fn a_side_is_found_in_or_as_a_name() {
        let read = |name: &str| Names::default().read(name);
        let toe = Some(Leaf::Strength(Movement::GreatToeExtension));
        assert_eq!(read("great_toe_extension_left"), (toe, Some(Side::Left)));
        assert_eq!(read("rightGreatToeExtension"), (toe, Some(Side::Right)));
        assert_eq!(read("R"), (None, Some(Side::Right)));
        assert_eq!(read("lefft"), (None, Some(Side::Left)));
    }

    #[test]
    fn after_five_hundred_unknown_names_only_right_spelling_counts() {
        let mut names = Names::default();
        for index in 0..MOST_COMPARED {
            names.read(&format!("unknown {index}"));
        }
        assert!(!names.take_missed());
        assert_eq!(names.read("zaddle_sensatio").0, None);
        assert!(names.take_missed() && !names.take_missed());
        assert!(names.read("unknown 1").0.is_none() && !names.take_missed(), "it was compared");
        assert!(names.read("Saddle_Sensation").0.is_some());
    }
}
