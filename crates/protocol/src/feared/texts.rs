//! JSON that stands in a text.

use serde_json::Value;

use super::extent::may_be_json;
use crate::json::{Room, read_everything};

/// As often as a text may hold JSON in a text of JSON.
pub const MOST_WRAPPED: u8 = 4;

/// The JSON that a text holds, with whatever marks and blanks before it, as far as there is room for it.
pub fn json_in(text: &str, room: &Room) -> Option<Value> {
    let text = text.trim_start_matches(is_unseen).trim_end();
    let begins = text.starts_with(['{', '[', '"']) && may_be_json(text);
    begins.then(|| read_everything(text.as_bytes(), room).ok()).flatten()
}

/// Whether a text begins as JSON does that holds a name or a list of them.
pub(super) fn looks_wrapped(text: &str) -> bool {
    let mut signs = text.chars().filter(|sign| !is_unseen(*sign));
    matches!((signs.next(), signs.next()), (Some('{'), Some('"')) | (Some('['), Some('{' | '[' | '"')))
}

fn is_unseen(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '\u{feff}' | '\u{200b}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_of_json_is_read_behind_marks_and_blanks_with_every_answer() {
        let read = |text: &str| json_in(text, &Room::default());
        assert_eq!(read("\u{feff} {\"a\":1}\n"), Some(json!({ "a": 1 })));
        assert_eq!(read("{\"a\":1,\"a\":2}"), Some(json!({ "a": [1, 2] })));
        for other in ["", "yes", "{", "{\"a\":1};"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert!(looks_wrapped("\u{200b}{ \"a") && !looks_wrapped("{}") && !looks_wrapped("[not examined]"));
    }
}
