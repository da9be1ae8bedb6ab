//! How much of a long name or text is read: no more than anybody means by it, so that nobody makes reading long.

/// Of a name, in bytes: the longest is that of a field with the names of everything around it.
const NAME: usize = 500;

/// Of a text that answers, in bytes: as long as the longest note.
const TEXT: usize = 40_000;

/// Of a text that holds JSON, in bytes: as long as a submission may be.
const JSON: usize = 1024 * 1024;

/// What is read of a name.
pub(super) fn of_name(name: &str) -> &str {
    beginning(name, NAME)
}

/// What is read of a text that answers.
pub(super) fn of_text(text: &str) -> &str {
    beginning(text, TEXT)
}

/// Whether a text may be read as JSON, which takes many times its room in memory.
pub(super) const fn may_be_json(text: &str) -> bool {
    text.len() <= JSON
}

fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_read_whole_and_no_sign_is_parted() {
        assert_eq!((of_name("saddle"), of_text("yes")), ("saddle", "yes"));
        let long = format!("a{}", "\u{e9}".repeat(NAME));
        assert_eq!(of_name(&long).len(), NAME - 1);
        assert_eq!(of_text(&"1".repeat(2 * TEXT)).len(), TEXT);
        assert!(may_be_json(&" ".repeat(JSON)) && !may_be_json(&" ".repeat(JSON + 1)));
    }
}
