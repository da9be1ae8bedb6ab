//! A bounded, seeded fuzzer for the record parser and the protocol loader: it damages valid
//! inputs, as text and as structure, and checks that nothing panics and what is accepted is sound.
//!
//! The coverage-guided fuzzers need a nightly compiler; this one runs on the stable one and gives
//! the same findings for the same seed.

use lasegue_protocol::record::{Record, check_record, danger_signs, parse_submission};
use lasegue_protocol::{Protocol, evaluate, report};
use serde_json::{Value, json};

use super::generate::{self, Dice};

/// Fragments that are likely to matter.
const FRAGMENTS: [&str; 24] = [
    "null",
    "true",
    "-1",
    "0",
    "6",
    "1e308",
    "-0.0",
    "99999999999999999999",
    "\"\"",
    "\"yes\"",
    "\"unknown\"",
    "\"2026-02-30\"",
    "\"9999-12-31T23:59:60Z\"",
    "\"0001-01-01T00:00:00+14:00\"",
    "[]",
    "{}",
    "\"R-L5\"",
    "\\u0000",
    "\u{1F9B4}",
    "{",
    "}",
    "\"",
    "'''",
    "\n",
];

/// Damages a record `rounds` times; returns how many were still accepted.
pub(crate) fn records(seed: u64, rounds: usize) -> usize {
    let mut dice = Dice::new(seed);
    let mut accepted = 0;
    for round in 0..rounds {
        let start = generate::record(seed.wrapping_add(u64::try_from(round).unwrap_or(0)), 1 + dice.below(4));
        accepted += usize::from(try_record(&mut dice, start));
    }
    accepted
}

fn try_record(dice: &mut Dice, mut value: Value) -> bool {
    for _ in 0..dice.below(4) {
        damage_value(dice, &mut value);
    }
    let mut text = value.to_string();
    if dice.one_in(2) {
        damage_text(dice, &mut text);
    }
    for submission in value["submissions"].as_array().into_iter().flatten() {
        let parsed = parse_submission(submission);
        let signs = danger_signs(&parsed.value);
        assert!(parsed.accept().is_ok() || signs.len() <= 18);
    }
    let Ok(record) = Record::parse_slice(text.as_bytes()) else {
        return false;
    };
    let again = serde_json::to_value(&record).expect("a record is JSON");
    assert_eq!(Record::parse(&again).as_ref(), Ok(&record), "a record comes back from its own JSON");
    let faults = check_record(&record);
    let protocol = Protocol::embedded();
    if let Ok(assessment) = evaluate(protocol, &record, None) {
        assert!(!report::text(protocol, &record, &assessment).is_empty());
    }
    faults.is_empty()
}

/// Replaces one value anywhere in the document.
fn damage_value(dice: &mut Dice, value: &mut Value) {
    let deeper = !dice.one_in(4);
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let name = fields.keys().nth(dice.below(fields.len())).cloned().unwrap_or_default();
            if let Some(inner) = fields.get_mut(&name) {
                damage_value(dice, inner);
            }
        }
        Value::Array(list) if deeper && !list.is_empty() => {
            let index = dice.below(list.len());
            damage_value(dice, &mut list[index]);
        }
        other => {
            let fragment = dice.pick(&FRAGMENTS);
            *other = serde_json::from_str(fragment).unwrap_or_else(|_| json!(fragment));
        }
    }
}

/// Cuts, doubles or replaces a piece of the text.
fn damage_text(dice: &mut Dice, text: &mut String) {
    let mut cut = |text: &str| {
        let mut at = dice.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (one, other) = (cut(text), cut(text));
    let (from, to) = (one.min(other), one.max(other).min(one.min(other) + 200));
    let to = (from..=to).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    let piece = text[from..to].to_owned();
    match dice.below(4) {
        0 => text.replace_range(from..to, ""),
        1 => text.insert_str(from, &piece),
        2 => text.truncate(from),
        _ => text.insert_str(from, dice.pick(&FRAGMENTS)),
    }
}

/// Damages the protocol file `rounds` times; returns how many were still accepted.
pub(crate) fn protocols(seed: u64, rounds: usize) -> usize {
    let mut dice = Dice::new(seed);
    let record = Record::parse(&generate::record(seed, 3)).expect("the generator makes valid records");
    let mut accepted = 0;
    for _ in 0..rounds {
        let mut text = Protocol::embedded_text().to_owned();
        for _ in 0..=dice.below(2) {
            if dice.one_in(2) {
                damage_line(&mut dice, &mut text);
            } else {
                damage_text(&mut dice, &mut text);
            }
        }
        if let Ok(protocol) = Protocol::load(&text) {
            accepted += 1;
            let _ = evaluate(&protocol, &record, None).map(|result| report::text(&protocol, &record, &result));
        }
    }
    accepted
}

/// Drops or doubles a line, or exchanges a word of it for one of another line.
fn damage_line(dice: &mut Dice, text: &mut String) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (at, other) = (dice.below(lines.len()), dice.below(lines.len()));
    let words: Vec<&str> = lines[other].split(' ').collect();
    let word = dice.pick(&words).to_owned();
    match dice.below(3) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[other].clone()),
        _ => {
            let old = lines[at].split(' ').next_back().unwrap_or_default().to_owned();
            lines[at] = lines[at].replacen(&old, &word, 1);
        }
    }
    *text = lines.join("\n");
}

#[cfg(test)]
mod tests {
    #[test]
    fn damaged_records_never_panic() {
        let accepted = super::records(1, 1_500);
        assert!((100..1_400).contains(&accepted), "{accepted} accepted: the damage is too much or too little");
    }

    #[test]
    fn damaged_protocols_never_panic() {
        let accepted = super::protocols(1, 150);
        assert!((1..149).contains(&accepted), "{accepted} accepted: the damage is too much or too little");
    }
}
