//! Cutting a stream of bytes into records: one JSON value, a JSON array of them, or one a line.
//!
//! Only the record at hand is kept. With one record a line a broken line spoils no other. A byte order mark is passed over.

use crate::record::Fault;

/// The mark that some systems put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// A record longer than this is cut off and refused, so that memory stays bounded.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// One byte more shows that a record was cut off.
const MOST_KEPT: usize = MAX_RECORD_BYTES + 1;

/// One record as it stands in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Its number in the input, from 1.
    pub number: usize,
    /// The line it starts at, from 1.
    pub line: usize,
    /// Its bytes; not necessarily valid JSON.
    pub json: Vec<u8>,
}

impl Raw {
    /// What is wrong with a record that was cut off.
    pub fn too_long(&self) -> Option<Fault> {
        let reason = || {
            format!(
                "is longer than {} MiB, the most that one record may have: send its visits in parts",
                MAX_RECORD_BYTES >> 20
            )
        };
        (self.json.len() > MAX_RECORD_BYTES).then(|| Fault { pointer: String::new(), reason: reason() })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Not known before the first record has ended.
    Unknown,
    Lines,
    Array,
    /// Values after each other, over any number of lines.
    Values,
}

/// Cuts pushed bytes into records.
#[derive(Debug)]
pub struct Splitter {
    layout: Layout,
    buffer: Vec<u8>,
    /// Open braces and brackets of the record at hand.
    depth: usize,
    in_string: bool,
    escaped: bool,
    line: usize,
    starts_at: usize,
    number: usize,
    ready: Vec<Raw>,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            layout: Layout::Unknown,
            buffer: Vec::new(),
            depth: 0,
            in_string: false,
            escaped: false,
            line: 1,
            starts_at: 1,
            number: 0,
            ready: Vec::new(),
        }
    }
}

impl Splitter {
    /// Takes bytes in and returns the records that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Raw> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            self.take(*byte);
            rest = after;
            if self.layout == Layout::Lines && !self.buffer.is_empty() {
                rest = self.take_to_end_of_line(rest);
            }
        }
        std::mem::take(&mut self.ready)
    }

    /// Returns what is left at the end of the input.
    pub fn finish(mut self) -> Option<Raw> {
        self.cut();
        self.ready.pop()
    }

    /// Takes the rest of a line at once and returns what comes after it.
    fn take_to_end_of_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let (line, rest) = bytes.split_at(end);
        let room = MOST_KEPT.saturating_sub(self.buffer.len());
        self.buffer.extend_from_slice(&line[..room.min(line.len())]);
        rest
    }

    fn take(&mut self, byte: u8) {
        if byte == b'\n' {
            self.line += 1;
            if self.layout == Layout::Lines {
                self.cut();
                return;
            }
        }
        if self.buffer.is_empty() && self.is_between(byte) {
            return;
        }
        if self.buffer.is_empty() {
            self.starts_at = self.line;
        }
        if self.buffer.len() < MOST_KEPT {
            self.buffer.push(byte);
        }
        self.follow(byte);
    }

    /// Whether a byte stands outside all records.
    fn is_between(&mut self, byte: u8) -> bool {
        match (self.layout, byte) {
            (_, b' ' | b'\t' | b'\r' | b'\n') | (Layout::Array, b',' | b']') => true,
            // No JSON begins with one of its bytes.
            (_, byte) if MARK.contains(&byte) => true,
            (Layout::Unknown, b'[') => {
                self.layout = Layout::Array;
                true
            }
            _ => false,
        }
    }

    fn follow(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.closed(),
            b'\n' if self.layout == Layout::Unknown => self.layout = Layout::Values,
            _ => {}
        }
    }

    fn closed(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth > 0 || self.layout == Layout::Lines {
            return;
        }
        if self.layout == Layout::Unknown {
            self.layout = Layout::Lines;
            return;
        }
        self.cut();
    }

    fn cut(&mut self) {
        let json = std::mem::take(&mut self.buffer);
        (self.depth, self.in_string, self.escaped) = (0, false, false);
        if json.iter().any(|byte| !byte.is_ascii_whitespace()) {
            self.number += 1;
            self.ready.push(Raw { number: self.number, line: self.starts_at, json });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Raw, Splitter};

    fn split(input: &str) -> Vec<(usize, String)> {
        let mut splitter = Splitter::default();
        let mut all = splitter.push(input.as_bytes());
        all.extend(splitter.finish());
        let shown = |raw: Raw| (raw.line, String::from_utf8_lossy(&raw.json).into_owned());
        all.into_iter().map(shown).collect()
    }

    fn pair(line: usize, json: &str) -> (usize, String) {
        (line, json.to_owned())
    }

    #[test]
    fn one_value_over_many_lines_is_one_record() {
        assert_eq!(split("\n{\n \"a\": {}\n}\n"), [pair(2, "{\n \"a\": {}\n}")]);
    }

    #[test]
    fn an_array_gives_its_elements() {
        let input = "[{\"a\": \"]}\\\"\"},\n {\"b\": [1]}]\n";
        assert_eq!(split(input), [pair(1, "{\"a\": \"]}\\\"\"}"), pair(2, "{\"b\": [1]}")]);
        assert_eq!(split(" [ ] "), []);
    }

    #[test]
    fn a_broken_line_spoils_no_other() {
        let input = "{\"a\":1}\n{\"b\":\n\n{\"c\":3}\r\n{\"d";
        let expected = [pair(1, "{\"a\":1}"), pair(2, "{\"b\":"), pair(4, "{\"c\":3}\r"), pair(5, "{\"d")];
        assert_eq!(split(input), expected);
    }

    #[test]
    fn values_after_each_other_are_cut_where_they_end() {
        assert_eq!(split("{\n}{}\n {}"), [pair(1, "{\n}"), pair(2, "{}"), pair(3, "{}")]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_record() {
        assert_eq!(split("\u{feff}{\"a\":1}\n\u{feff}{}\n"), [pair(1, "{\"a\":1}"), pair(2, "{}")]);
        assert_eq!(split("\u{feff}[{}, {}]"), [pair(1, "{}"), pair(1, "{}")]);
        assert_eq!(split("\u{feff}\n{\n}"), [pair(2, "{\n}")]);
    }

    #[test]
    fn a_record_that_is_too_long_says_so_and_spoils_no_other() {
        let long = format!("{{\"a\":1}}\n{{\"b\":\"{}\"}}\n{{\"c\":3}}\n", "x".repeat(40 << 20));
        let mut splitter = Splitter::default();
        let records = splitter.push(long.as_bytes());
        let told: Vec<_> = records.iter().map(|raw| (raw.line, raw.too_long().map(|fault| fault.reason))).collect();
        let reason = "is longer than 16 MiB, the most that one record may have: send its visits in parts";
        assert_eq!(told, [(1, None), (2, Some(reason.to_owned())), (3, None)]);
    }

    proptest! {
        #[test]
        fn the_size_of_the_pieces_does_not_matter(
            input in r#"[\[\]\{\}",\\ \na1]{0,60}"#, size in 1_usize..9
        ) {
            let mut splitter = Splitter::default();
            let mut all = Vec::new();
            for piece in input.as_bytes().chunks(size) {
                all.extend(splitter.push(piece));
            }
            all.extend(splitter.finish());
            let whole = split(&input);
            prop_assert_eq!(all.len(), whole.len());
            for (raw, (line, json)) in all.iter().zip(whole) {
                prop_assert_eq!(raw.line, line);
                prop_assert_eq!(String::from_utf8_lossy(&raw.json).into_owned(), json);
            }
        }
    }
}
