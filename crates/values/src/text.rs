//! Names and notes: trimmed, of bounded length, free of what a database or a terminal takes for something else.

use std::fmt;

/// Why a text is not taken, as the end of a sentence that begins with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing but blanks, or more than there may be.
    #[error("must be a text of 1 to {most} characters")]
    Length {
        /// The most characters, blanks around the text not counted.
        most: usize,
    },
    /// A control character stands in it.
    #[error("must not hold the control character U+{0:04X}")]
    Control(u32),
    /// A character that nobody sees stands in a person's name.
    #[error("must not hold U+{0:04X}, which nobody sees")]
    Unseen(u32),
    /// Nothing in a person's name can be read aloud.
    #[error("must have a letter or a digit")]
    Blank,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $longest:literal, $may_hold:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The most characters.
            pub const LONGEST: usize = $longest;

            /// The text without the blanks around it.
            ///
            /// # Errors
            /// When nothing is left, or more than there may be, or a control character stands in it.
            pub fn parse(text: &str) -> Result<Self, Unfit> {
                read(text, Self::LONGEST, $may_hold).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// One line: a sender's id, whoever signs, a clinic.
    Name, 200, &[];
    /// What somebody wrote down, over any number of lines.
    Note, 10_000, &['\n', '\t'];
    /// What a program printed and somebody signs, such as a backtest.
    Printout, 20_000, &['\n', '\t'];
}

fn read(text: &str, most: usize, may_hold: &[char]) -> Result<String, Unfit> {
    let text = text.trim();
    if text.is_empty() || text.chars().nth(most).is_some() {
        return Err(Unfit::Length { most });
    }
    let text = text.replace("\r\n", "\n");
    match text.chars().find(|c| c.is_control() && !may_hold.contains(c)) {
        Some(control) => Err(Unfit::Control(control.into())),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_around_a_text_do_not_count() {
        let padded = format!("{}examined\n\tand treated{}", " ".repeat(10_500), "\u{2003}".repeat(10_500));
        assert_eq!(Note::parse(&padded).map(String::from), Ok("examined\n\tand treated".to_owned()));
        assert_eq!(Name::parse("\u{a0}dr-a \n").map(String::from), Ok("dr-a".to_owned()));
        assert_eq!(Note::parse("one\r\ntwo").map(String::from), Ok("one\ntwo".to_owned()));
    }

    #[test]
    fn a_text_has_one_character_to_as_many_as_it_may_whatever_their_bytes() {
        assert!(Name::parse(&"\u{1d11e}".repeat(Name::LONGEST)).is_ok());
        assert_eq!(Name::parse(&"x".repeat(Name::LONGEST + 1)), Err(Unfit::Length { most: 200 }));
        assert_eq!(Name::parse(" \t\n"), Err(Unfit::Length { most: 200 }));
        assert!(Note::parse(&"\u{1d11e}".repeat(Note::LONGEST)).is_ok());
        assert_eq!(Note::parse(&"x".repeat(Note::LONGEST + 1)), Err(Unfit::Length { most: 10_000 }));
    }

    #[test]
    fn control_characters_are_named_and_refused_but_lines_and_tabs_of_a_note() {
        assert_eq!(
            Name::parse("a\nb").map_err(|unfit| unfit.to_string()),
            Err("must not hold the control character U+000A".to_owned())
        );
        for control in ['\0', '\u{1b}', '\u{7f}', '\u{9f}', '\r'] {
            assert_eq!(Note::parse(&format!("a{control}b")), Err(Unfit::Control(control.into())));
        }
    }

    proptest! {
        #[test]
        fn what_was_read_is_read_again_as_it_is(text in r"(?s).{0,300}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
            }
            if let Ok(note) = Note::parse(&text) {
                prop_assert_eq!(Note::parse(note.as_str()), Ok(note));
            }
        }
    }
}
