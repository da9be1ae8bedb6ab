//! What a value answers, whatever its type and its words.

use std::borrow::Cow;

use lasegue_values::legible;
use serde_json::Value;

use super::extent::of_text;
use super::names::plain;

/// Words that affirm, plain, and LOINC's code of yes.
const AFFIRM: [&str; 8] = ["yes", "true", "present", "positive", "y", "t", "pos", "la336"];

/// Words that take back an affirmation which follows in the same clause, plain and without apostrophes.
const DENY: [&str; 22] = [
    "no", "not", "non", "none", "never", "nor", "neither", "without", "denies", "denied", "absent", "false", "isnt",
    "wasnt", "arent", "doesnt", "nothing", "nil", "negative", "n", "dont", "neg",
];

/// LOINC's code of no, plain.
const CODED_NO: &str = "la328";

/// Words that say that all is well, plain.
const NORMAL: [&str; 4] = ["normal", "intact", "ok", "full"];

/// Of these those that may also mean that what is asked for is not as it should be, as sensation that is absent.
const AMBIGUOUS: [&str; 4] = ["absent", "none", "nothing", "nil"];

/// Words that say that there is no answer, plain.
const UNANSWERED: [&str; 19] = [
    "unknown",
    "unsure",
    "na",
    "nt",
    "asked",
    "tested",
    "examined",
    "answered",
    "assessed",
    "declined",
    "refused",
    "skipped",
    "nk",
    "nd",
    "null",
    "done",
    "applicable",
    "know",
    "unbekannt",
];

/// Words beside which a no stays one, plain.
const NEUTRAL: [&str; 45] = [
    "since",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "today",
    "yesterday",
    "last",
    "this",
    "week",
    "weeks",
    "day",
    "days",
    "night",
    "morning",
    "month",
    "months",
    "visit",
    "ago",
    "left",
    "right",
    "both",
    "side",
    "sides",
    "on",
    "at",
    "all",
    "the",
    "of",
    "in",
    "or",
    "and",
    "any",
    "yet",
    "present",
    "patient",
    "pt",
    "per",
    "reports",
    "reported",
    "true",
    "positive",
];

/// Words at which a text may turn round, so that what was denied before is not denied after.
const TURNS: [&str; 4] = ["but", "however", "though", "although"];

/// What a value answers to a question for a symptom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// However it is written, true, or a number above 0.
    Yes,
    /// A clear no, or that it is not known.
    No,
    /// Nothing.
    None,
    /// Something that is none of these.
    Unclear,
}

impl Answer {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Bool(true) => Self::Yes,
            Value::Number(number) if number.as_f64().is_some_and(|number| number > 0.0) => Self::Yes,
            Value::Number(number) if number.as_f64().is_some_and(|number| number < 0.0) => Self::Unclear,
            Value::Bool(false) | Value::Number(_) => Self::No,
            Value::String(text) => Self::in_words(&legible(of_text(text)).to_lowercase()),
            Value::Null | Value::Array(_) | Value::Object(_) => Self::None,
        }
    }

    fn in_words(text: &str) -> Self {
        if affirms(text) {
            Self::Yes
        } else if is_blank(text) {
            Self::None
        } else if is_unanswered(text) || is_nought(text) || is_normal(text) || is_clear_no(text) {
            Self::No
        } else {
            Self::Unclear
        }
    }
}

/// Whether a text, of which it is not known what it answers, says that there is nothing or that all is well.
pub(super) fn is_calm(value: &Value) -> bool {
    let text = value.as_str().map(|text| legible(of_text(text)).to_lowercase());
    text.is_some_and(|text| consists_of(&text, &[&DENY, &NEUTRAL, &NORMAL]))
}

fn is_normal(text: &str) -> bool {
    NORMAL.contains(&plain(text).as_str()) || plain(text) == CODED_NO
}

/// Whether a text in lower case denies.
pub(super) fn denies(text: &str) -> bool {
    words(text).any(|word| DENY.contains(&&*bare(word)))
}

/// Whether a text in lower case holds nothing but signs that stand where an answer is missing.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|sign| sign.is_whitespace() || "-_.?".contains(sign))
}

/// Whether a text in lower case says, and nothing else, that there is no answer.
pub(super) fn is_unanswered(text: &str) -> bool {
    let says = |word: &str| UNANSWERED.contains(&word);
    says(&plain(text))
        || consists_of(text, &[&UNANSWERED, &DENY, &NEUTRAL]) && words(text).any(|word| says(&bare(word)))
}

/// Whether every word of a text in lower case is among the given ones; numbers are no words.
pub(super) fn consists_of(text: &str, known: &[&[&str]]) -> bool {
    let is_known = |word: &str| known.iter().any(|known| known.contains(&&*bare(word)));
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_sign = |sign: char| sign.is_ascii() || sign.is_alphanumeric() || sign.is_whitespace();
    words(text).all(|word| is_number(word) || is_known(word)) && text.chars().all(is_sign)
}

fn affirms(text: &str) -> bool {
    let first = words(text).next().unwrap_or_default();
    is_affirmation(&plain(text))
        || is_affirmation(first)
        || is_count(text.trim_start())
        || clauses(text).any(|clause| affirms_in(&clause))
}

/// Whether a text denies, and holds nothing beside that which might take it back.
fn is_clear_no(text: &str) -> bool {
    let is_clear = |word: &str| word == "present" || DENY.contains(&word) && !AMBIGUOUS.contains(&word);
    denies(text) && words(text).any(|word| is_clear(&bare(word))) && consists_of(text, &[&DENY, &NEUTRAL])
}

/// A text that is the number 0.
fn is_nought(text: &str) -> bool {
    text.trim().parse().is_ok_and(|number: f64| number.abs() < f64::EPSILON)
}

/// A text that begins with a number above 0 and is no date, which has three of them.
fn is_count(text: &str) -> bool {
    let mut numbers = text.split(|sign: char| !sign.is_ascii_digit() && sign != '.');
    let first = numbers.next().unwrap_or_default();
    first.parse().is_ok_and(|number: f64| number > 0.0) && numbers.filter(|number| !number.is_empty()).count() < 2
}

fn is_affirmation(word: &str) -> bool {
    let misspelt = |known: &&str| word.len() <= 16 && strsim::damerau_levenshtein(word, known) <= 1;
    AFFIRM.contains(&word) || (word.len() > 2 && AFFIRM.iter().any(|known| known.len() > 2 && misspelt(known)))
}

/// A yes is one wherever it stands, and what else affirms where nothing before it denies.
fn affirms_in(clause: &[&str]) -> bool {
    let mut undenied = clause.iter().take_while(|word| !DENY.contains(&&*bare(word)));
    clause.contains(&"yes") || undenied.any(|word| word.len() > 2 && AFFIRM.contains(word))
}

/// The words of each clause.
fn clauses(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split([',', ';', '.', ':', '(', ')', '\n', '/']).flat_map(|clause| {
        let words: Vec<_> = words(clause).collect();
        words.split(|word| TURNS.contains(word)).map(<[&str]>::to_vec).collect::<Vec<_>>()
    })
}

/// A word without its apostrophes.
fn bare(word: &str) -> Cow<'_, str> {
    if word.contains('\'') { plain(word).into() } else { word.into() }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '\'').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all_are(answer: Answer, values: impl IntoIterator<Item = Value>) {
        for value in values {
            assert_eq!(Answer::of(&value), answer, "{value}");
        }
    }

    #[test]
    fn an_affirmation_is_understood_in_every_type_and_spelling() {
        let texts = ["yes", "Yes", " YES! ", "yse", "True", "1", "y", "Present", "psitive", "no yes"];
        all_are(Answer::Yes, texts.map(Value::from));
        all_are(Answer::Yes, [json!(true), json!(1), json!(1.0)]);
        all_are(Answer::Yes, ["not at first but present now", "none on Monday, present since"].map(Value::from));
    }

    #[test]
    fn a_no_is_one_when_nothing_beside_it_may_take_it_back() {
        let no =
            ["no", "unknown", "0", "0.0", "N/A", "not asked", "not tested yet", "No, since Monday 3", "isn't present"];
        all_are(Answer::No, no.map(Value::from));
        all_are(Answer::No, [json!(0), json!(false)]);
        all_are(Answer::None, [json!(null), json!(""), json!(" - "), json!("?")]);
        let unclear = [
            "\u{2713}",
            "\u{1f44d}",
            "+",
            "x",
            "ja",
            "numb",
            "no feeling",
            "not normal",
            "no longer normal",
            "no, until this morning",
            "absent",
            "none",
            "0 now, 3 yesterday",
            "no \u{2713}",
            "\u{1f188}\u{1f174}\u{1f182}",
        ];
        all_are(Answer::Unclear, unclear.map(Value::from));
    }
}
