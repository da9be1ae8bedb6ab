//! Whether a value affirms, whatever its type and its words.

use lasegue_values::legible;
use serde_json::Value;

use super::extent::of_text;
use super::names::plain;

/// Words that affirm, plain.
const AFFIRM: [&str; 6] = ["yes", "true", "present", "positive", "y", "t"];

/// Words that take back an affirmation which follows in the same clause, plain and without apostrophes.
const DENY: [&str; 19] = [
    "no", "not", "non", "none", "never", "nor", "neither", "without", "denies", "denied", "absent", "false", "isnt",
    "wasnt", "arent", "doesnt", "nothing", "nil", "negative",
];

/// Whether the value affirms: yes, however it is written, true, or a number above 0.
pub(super) fn affirms(value: &Value) -> bool {
    match value {
        Value::Bool(answer) => *answer,
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::String(text) => affirms_in_words(&legible(of_text(text)).to_lowercase()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether a text in lower case denies.
pub(super) fn denies(text: &str) -> bool {
    words(text).any(|word| DENY.contains(&plain(word).as_str()))
}

/// Whether a value answers a question, if only that it is not known.
pub(super) fn is_answer(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => {
            let text = legible(of_text(text)).to_lowercase();
            affirms_in_words(&text) || denies(&text) || text.contains("unknown") || text.trim().starts_with('0')
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn affirms_in_words(text: &str) -> bool {
    let first = words(text).next().unwrap_or_default();
    is_affirmation(&plain(text))
        || is_affirmation(first)
        || is_count(text.trim_start())
        || clauses(text).any(clause_affirms)
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
fn clause_affirms(clause: &str) -> bool {
    let mut undenied = words(clause).take_while(|word| !DENY.contains(&plain(word).as_str()));
    words(clause).any(|word| word == "yes") || undenied.any(|word| word.len() > 2 && AFFIRM.contains(&word))
}

fn clauses(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '.', ':', '(', ')', '\n', '/'])
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '\'').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_affirmation_is_understood_in_every_type_and_spelling() {
        for yes in [
            json!("yes"),
            json!("Yes"),
            json!(" YES! "),
            json!("yse"),
            json!(true),
            json!("True"),
            json!(1),
            json!(1.0),
            json!("1"),
            json!("y"),
            json!("Present"),
            json!("psitive"),
            json!("no yes"),
        ] {
            assert!(affirms(&yes), "{yes}");
        }
        for no in [json!("no"), json!("unknown"), json!(""), json!(0), json!("0"), json!(false), json!(null)] {
            assert!(!affirms(&no), "{no}");
        }
    }
}
