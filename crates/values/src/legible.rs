//! Text as a reader sees it, whatever signs it was typed with.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

use crate::person::is_unseen;

/// A text with the letters, digits and blanks of ASCII in place of those that stand for them or look like them, without
/// accents and without what nobody sees.
pub fn legible(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii() {
            // The order of the marks does not matter: they go.
            c.nfkd().filter(|c| is_seen(*c)).for_each(|c| push_in_ascii(&mut read, c));
        } else if is_seen(c) {
            read.push(c);
        }
    }
    read
}

fn is_seen(c: char) -> bool {
    c.is_whitespace() || if c.is_ascii() { !c.is_ascii_control() } else { !is_unseen(c) && !is_combining_mark(c) }
}

/// Adds the signs of ASCII that a character looks like, or else the character.
fn push_in_ascii(read: &mut String, c: char) {
    if c.is_ascii() {
        return read.push(c);
    }
    let before = read.len();
    read.extend(skeleton(c.encode_utf8(&mut [0; 4])));
    if !read[before..].is_ascii() {
        read.truncate(before);
        read.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ascii_is_read_as_ascii() {
        for (text, read) in [
            ("Yes, m1 lO\n", "Yes, m1 lO\n"),
            ("\u{1b}y\0es\u{7f}", "yes"),
            ("\u{ff39}\u{ff25}\u{ff33}", "YES"),
            ("\u{443}\u{435}s", "yes"),
            ("ye\u{200b}s", "yes"),
            ("1\u{2009}200\u{a0}ml", "1 200 ml"),
            ("\u{e9}", "e"),
            ("\u{6f22}", "\u{6f22}"),
            ("y\u{6f22}\u{435}\u{1b}s", "y\u{6f22}es"),
        ] {
            assert_eq!(legible(text), read, "{text:?}");
        }
    }
}
