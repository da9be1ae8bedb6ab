//! The names of people: one spelling of each, and which of them could be taken for one another.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_security::confusable_detection::skeleton;

use crate::{Name, Unfit};

/// The name of somebody, or of a system, that acts and signs: printable, and in one spelling whatever it was typed with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person(Name);

impl Person {
    /// The name in its one spelling (NFKC), without the blanks around it.
    ///
    /// # Errors
    /// When it is no [`Name`], has no letter or digit, or holds a character that nobody sees.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        let name = Name::parse(&text.nfkc().collect::<String>())?;
        if let Some(unseen) = name.as_str().chars().find(|c| is_unseen(*c)) {
            return Err(Unfit::Unseen(unseen.into()));
        }
        if !name.as_str().contains(char::is_alphanumeric) {
            return Err(Unfit::Blank);
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<Person> for String {
    fn from(person: Person) -> Self {
        person.0.into()
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a character takes no ink: those that Unicode calls so by category, and the letters and marks that are empty.
pub(crate) fn is_unseen(c: char) -> bool {
    use GeneralCategory as Category;
    let empty = matches!(
        c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
    );
    empty
        || matches!(
            c.general_category(),
            Category::Control
                | Category::Format
                | Category::LineSeparator
                | Category::ParagraphSeparator
                | Category::PrivateUse
                | Category::Unassigned
        )
}

/// Whether two names are, or look like, the name of one person: without case, blanks and the confusables of Unicode's
/// Technical Standard 39. Where two people are required these are one.
pub fn may_be_one(one: &str, other: &str) -> bool {
    looks(one, false) == looks(other, false) || looks(one, true) == looks(other, true)
}

/// What a name looks like. A capital I looks like a small l, and is a small i: hence with the case lowered before or after.
fn looks(name: &str, lowered_before: bool) -> String {
    let name: String = name.nfkc().filter(|c| !c.is_whitespace() && !is_unseen(*c)).collect();
    let name = if lowered_before { name.to_lowercase() } else { name };
    let looks: String = skeleton(&name).collect();
    looks.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        for text in ["Zo\u{eb} A.", " Zoe\u{308} A.", "\u{ff3a}o\u{eb}\u{a0}A.\n"] {
            assert_eq!(Person::parse(text).map(String::from), Ok("Zo\u{eb} A.".to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_read_is_refused() {
        for text in [
            "",
            " ",
            "\u{200b}",
            "\u{3164}",
            "--",
            "a\nb",
            "a\0",
            "dr\u{202e}a",
            "dr\u{200d}a",
            "a\u{e000}",
            &"x".repeat(201),
        ] {
            assert!(Person::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_that_look_alike_are_one_where_two_are_required() {
        for other in ["Anna", "ANNA", "anna ", " an na", "\u{430}nna", "\u{ff41}nna", "an\u{200b}na", "anna"] {
            assert!(may_be_one("anna", other), "{other:?}");
        }
        assert!(may_be_one("Ian", "lan") && may_be_one("dr-0", "dr-O") && may_be_one("martin", "rnartin"));
        for other in ["anne", "ann", "hanna", "dr-a", "anna2"] {
            assert!(!may_be_one("anna", other), "{other:?}");
        }
        assert!(!may_be_one("dr-a", "dr-b"));
    }
}
