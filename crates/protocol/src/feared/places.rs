//! Fields that are named in the place of a value, as in a list of questions with their answers.

use serde_json::{Map, Value};

use super::extent::of_name;
use super::fields::{ALL, Leaf, is_name};
use super::names::plain;
use crate::record::Side;

/// How the name of an answer begins, plain.
const ANSWER: [&str; 15] = [
    "answer", "val", "grade", "strength", "result", "response", "score", "reply", "mrc", "data", "given", "checked",
    "selected", "choice", "chosen",
];

/// Names of what may be a part of an answer, plain.
const OF_AN_ANSWER: [&str; 6] = ["code", "coding", "display", "text", "concept", "content"];

/// Names of what belongs to the form and is no answer, plain; whatever ends with one of [`ENDS`] belongs to it too.
const BOOKKEEPING: [&str; 26] = [
    "index",
    "order",
    "position",
    "sequence",
    "rank",
    "version",
    "system",
    "required",
    "answered",
    "number",
    "page",
    "sort",
    "row",
    "line",
    "weight",
    "column",
    "asked",
    "confirmed",
    "confidence",
    "max",
    "min",
    "maximum",
    "minimum",
    "range",
    "measured",
    "onset",
];

/// How names end of ids, of who did something and when, and of units.
const ENDS: [&str; 8] = ["id", "by", "at", "date", "time", "unit", "units", "uom"];

/// Names under which stands what is not there, plain.
const DENIED: [&str; 15] = [
    "absent",
    "negative",
    "negatives",
    "denied",
    "none",
    "no",
    "normal",
    "unanswered",
    "missing",
    "notasked",
    "skipped",
    "requiredfields",
    "fields",
    "columns",
    "headers",
];

/// Names of what a visit or a form has as a whole, plain: beside them a name in a value asks for nothing.
const WHOLE: [&str; 4] = ["pain", "author", "assessedat", "caudaequina"];

/// Names of free text, which names nothing, plain.
const NOTES: [&str; 5] = ["note", "notes", "comment", "comments", "remarks"];

/// Names of what may hold the name of a field deeper within, plain.
const NAMING: [&str; 5] = ["code", "coding", "question", "concept", "topic"];

/// Names of a question in a sentence, plain; whatever begins with `question` is one too.
const SENTENCES: [&str; 6] = ["text", "label", "title", "prompt", "item", "display"];

/// As deep as a name is looked for within a value.
const DEEPEST: u8 = 3;

/// What a name says of the place of its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Answer,
    Bookkeeping,
    Denied,
    Other,
}

impl Place {
    pub(super) fn of(whole: &str) -> Self {
        let name = plain(whole);
        if BOOKKEEPING.contains(&name.as_str()) || ENDS.contains(&last_word(whole).as_str()) {
            Self::Bookkeeping
        } else if ANSWER.iter().any(|begin| name.starts_with(begin)) {
            Self::Answer
        } else if DENIED.contains(&name.as_str()) {
            Self::Denied
        } else {
            Self::Other
        }
    }
}

/// Whether what stands under a name in an answer belongs to the answer.
pub(super) fn is_of_an_answer(name: &str) -> bool {
    OF_AN_ANSWER.contains(&plain(name).as_str())
}

/// Whether what a name holds is the name of something.
pub(super) fn is_naming(name: &str) -> bool {
    NAMING.contains(&plain(name).as_str())
}

/// The last word of a name, whose words signs, capitals or digits part.
fn last_word(name: &str) -> String {
    let begins = |(at, sign): &(usize, char)| {
        let before = name[..*at].chars().next_back();
        !sign.is_ascii_alphabetic()
            || sign.is_ascii_uppercase() && before.is_some_and(|before| before.is_ascii_lowercase())
    };
    let from = name.char_indices().rfind(begins).map_or(0, |(at, _)| at);
    plain(&name[from..])
}

/// Whether a name is that of a block of which a mere list of names is known to mean that all of them are so.
pub(super) fn is_block(name: &str) -> bool {
    matches!(plain(name).as_str(), "caudaequina" | "serious" | "redflags" | "symptoms")
}

/// The fields and the side that an object names in its values.
#[derive(Default)]
pub(super) struct Named {
    pub(super) leaves: Vec<Leaf>,
    pub(super) side: Option<Side>,
    /// The object holds nothing but names.
    pub(super) alone: bool,
    answered: bool,
}

impl Named {
    pub(super) fn of(fields: &Map<String, Value>) -> Self {
        if fields.keys().any(|name| WHOLE.contains(&plain(of_name(name)).as_str())) {
            return Self::default();
        }
        let mut read = Self { alone: true, ..Self::default() };
        for (name, value) in fields.iter().map(|(name, value)| (of_name(name), value)) {
            let place = Place::of(name);
            read.answered |= place == Place::Answer;
            let (leaf, side) = if place == Place::Answer { (None, None) } else { named_in(name, value, DEEPEST) };
            read.alone &= (leaf.is_some() || side.is_some()) && value.as_str().is_none_or(is_name);
            read.leaves.extend(leaf.filter(|leaf| !read.leaves.contains(leaf)));
            read.side = read.side.or(side);
        }
        read
    }

    /// Whether a value of the object may be the answer to what it names: where one is called so only that may.
    pub(super) fn may_answer(&self, place: Place, side: Option<Side>) -> bool {
        !self.answered || place == Place::Answer || side.is_some()
    }
}

fn named_in(name: &str, value: &Value, deep: u8) -> (Option<Leaf>, Option<Side>) {
    let name = plain(name);
    let may_name = deep > 0 && NAMING.contains(&name.as_str());
    match value {
        Value::String(text) if !is_note(&name) && (is_name(text) || is_sentence(&name)) => ALL.in_question(text),
        Value::Object(fields) if may_name => {
            first(fields.iter().map(|(name, value)| named_in(of_name(name), value, deep - 1)))
        }
        Value::Array(list) if may_name => first(list.iter().map(|value| named_in(&name, value, deep - 1))),
        _ => (None, None),
    }
}

/// Whether a plain name is that of free text.
pub(super) fn is_note(name: &str) -> bool {
    NOTES.iter().any(|note| name.ends_with(note))
}

/// Whether a plain name is that of a question in a sentence.
pub(super) fn is_sentence(name: &str) -> bool {
    name.starts_with("question") || NAMING.contains(&name) || SENTENCES.contains(&name)
}

fn first(mut found: impl Iterator<Item = (Option<Leaf>, Option<Side>)>) -> (Option<Leaf>, Option<Side>) {
    found.find(|(leaf, _)| leaf.is_some()).unwrap_or_default()
}
