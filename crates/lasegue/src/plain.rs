//! Texts from outside on their way to a terminal. Ids, names of fields and answers of servers may hold what moves the cursor,
//! recolours the screen or begins a line of its own; it is shown by its number instead.

use std::fmt::{Display, Write};

/// `text` on one line.
pub(crate) fn plain(text: &impl Display) -> String {
    escaped(&text.to_string(), |_| false, |out, code| write!(out, "\\u{{{code:x}}}"))
}

/// `text` on its own lines.
pub(crate) fn plain_lines(text: &str) -> String {
    escaped(text, |character| character == '\n', |out, code| write!(out, "\\u{{{code:x}}}"))
}

/// A JSON document, with the same meaning: outside of its texts it has nothing to escape.
pub(crate) fn plain_json(json: &str) -> String {
    escaped(json, |_| false, |out, code| write!(out, "\\u{code:04x}"))
}

fn escaped(text: &str, keeps: impl Fn(char) -> bool, escape: impl Fn(&mut String, u32) -> std::fmt::Result) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, character| {
        if acts(character) && !keeps(character) {
            // A text takes everything.
            let _ = escape(&mut out, character.into());
        } else {
            out.push(character);
        }
        out
    })
}

/// Whether a terminal does something for the character instead of showing it: controls, line breaks, changes of direction.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_the_cursor_or_begins_a_line() {
        let told = plain(&"/a\u{1b}[2J\r\nrecord 2\u{9b}31m\u{202e}é");
        assert_eq!(told, "/a\\u{1b}[2J\\u{d}\\u{a}record 2\\u{9b}31m\\u{202e}é");
        assert_eq!(plain_lines("a\nb\u{7}"), "a\nb\\u{7}");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}é\u{202e}\u{7f}" });
        let line = plain_json(&value.to_string());
        assert!(line.chars().all(|character| !acts(character)), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("JSON still"), value);
    }
}
