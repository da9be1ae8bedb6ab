//! Text as a reader sees it, whatever signs it was typed with.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

use crate::person::is_unseen;

/// A text with the letters, digits and blanks of ASCII in place of those that stand for them or look like them, without
/// accents and without what nobody sees.
pub fn legible(text: &str) -> String {
    let seen = |c: &char| c.is_whitespace() || !(is_unseen(*c) || is_combining_mark(*c));
    text.nfkd().filter(seen).fold(String::with_capacity(text.len()), |read, c| read + &in_ascii(c))
}

/// The signs of ASCII that a character looks like, or else the character.
fn in_ascii(c: char) -> String {
    let own = c.to_string();
    if c.is_ascii() {
        return own;
    }
    let looks: String = skeleton(&own).collect();
    if looks.is_ascii() { looks } else { own }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ascii_is_read_as_ascii() {
        for (text, read) in [
            ("Yes, m1 lO\n", "Yes, m1 lO\n"),
            ("\u{ff39}\u{ff25}\u{ff33}", "YES"),
            ("\u{443}\u{435}s", "yes"),
            ("ye\u{200b}s", "yes"),
            ("1\u{2009}200\u{a0}ml", "1 200 ml"),
            ("\u{e9}", "e"),
            ("\u{6f22}", "\u{6f22}"),
        ] {
            assert_eq!(legible(text), read, "{text:?}");
        }
    }
}
