//! Which numbers a value may be, whatever its type: a text holds each of them that can be meant by it.

use lasegue_values::legible;
use serde_json::Value;

use super::extent::of_text;

/// More than a bladder holds, in mL: a number above it was not meant.
const MOST_RESIDUAL: f64 = 10_000.0;

/// A broken number below this, in mL, may be one of litres, or one of thousands.
const FEW_RESIDUAL: f64 = 10.0;

/// A number in a text, and the word that follows it.
struct Found {
    digits: String,
    unit: String,
}

/// Every number that the value may be.
pub(super) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(number) => number.as_f64().into_iter().collect(),
        Value::String(text) => {
            let text = legible(of_text(text));
            whole(&text).into_iter().chain(found(&text).iter().flat_map(Found::readings)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

/// The most millilitres that the value may be.
pub(super) fn millilitres(value: &Value) -> Option<f64> {
    let meant = match value {
        Value::String(text) => in_text(&legible(of_text(text))),
        other => numbers(other),
    };
    let broken = |number: f64| if number < FEW_RESIDUAL && number.fract() > 0.0 { 1_000.0 * number } else { number };
    let may_be = meant.iter().copied().map(broken).filter(|number| *number <= MOST_RESIDUAL);
    may_be.max_by(f64::total_cmp).or_else(|| meant.into_iter().max_by(f64::total_cmp))
}

fn in_text(text: &str) -> Vec<f64> {
    let mut meant: Vec<_> = whole(text).into_iter().collect();
    for one in found(text) {
        let times = millilitres_of(&one.unit);
        meant.extend(one.readings().map(|number| number * times));
    }
    if text.contains(['>', '\u{2265}']) && !meant.is_empty() {
        meant.push(MOST_RESIDUAL);
    }
    meant
}

fn millilitres_of(unit: &str) -> f64 {
    match unit {
        "dl" => 100.0,
        "cl" => 10.0,
        "l" | "lt" | "ltr" => 1_000.0,
        _ if unit.starts_with("lit") => 1_000.0,
        _ => 1.0,
    }
}

/// The number that a text is as a whole, as `6e2`.
fn whole(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// The numbers of a text, each with the signs that may part its thousands or its fraction.
fn found(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(from) = rest.find(|sign: char| sign.is_ascii_digit()) {
        let (digits, after) = rest[from..].split_at(length(&rest[from..]));
        let unit = after.trim_start().chars().take_while(char::is_ascii_alphabetic).take(16);
        found.push(Found { digits: digits.to_owned(), unit: unit.collect::<String>().to_lowercase() });
        rest = after;
    }
    found
}

/// How long the number is with which the text begins: a sign within it stands between two digits.
fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let parts = |at: usize| matches!(bytes[at], b'.' | b',' | b'\'' | b'_' | b' ') && is_digit(at + 1);
    (0..bytes.len()).find(|at| !is_digit(*at) && !parts(*at)).unwrap_or(bytes.len())
}

impl Found {
    /// As a decimal up to its second sign, and without its signs where they part thousands. A blank parts numbers too.
    fn readings(&self) -> impl Iterator<Item = f64> {
        let single = self.digits.split([' ', '\'', '_']).filter_map(decimal);
        let thousands = self.digits.split([' ', '\'', '_', '.', ',']).enumerate().all(|(index, group)| match index {
            0 => group.len() <= 3,
            _ => group.len() == 3,
        });
        let joined: String = self.digits.chars().filter(char::is_ascii_digit).collect();
        let is_parted = thousands && joined != self.digits;
        single.chain(is_parted.then(|| joined.parse().ok()).flatten())
    }
}

fn decimal(text: &str) -> Option<f64> {
    let mut parts = text.split(['.', ',']);
    let (whole, part) = (parts.next()?, parts.next().unwrap_or("0"));
    format!("{whole}.{part}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_found_in_every_type_and_with_their_unit() {
        for (value, expected) in [
            (json!(2), vec![2.0]),
            (json!("MRC 2/5"), vec![2.0, 5.0]),
            (json!("3+"), vec![3.0]),
            (json!("39,2 \u{b0}C"), vec![39.2]),
            (json!("1,200"), vec![1.2, 1_200.0]),
            (json!("600ml."), vec![600.0]),
        ] {
            assert_eq!(numbers(&value), expected, "{value}");
        }
        for none in [json!("two"), json!(""), json!(true), json!(null), json!([2])] {
            assert_eq!(numbers(&none), Vec::<f64>::new(), "{none}");
        }
    }

    #[test]
    fn a_residual_is_as_large_as_it_may_be() {
        for (text, expected) in [
            ("1,200 mL", 1_200.0),
            ("1 200", 1_200.0),
            ("0.6 l", 600.0),
            ("2 Liter", 2_000.0),
            ("6e2", 600.0),
            ("60.5", 60.5),
            ("15.500", 15.5),
            ("20 min: 450ml", 450.0),
            (">150", MOST_RESIDUAL),
        ] {
            assert_eq!(millilitres(&json!(text)), Some(expected), "{text}");
        }
        assert_eq!(millilitres(&json!(0.5)), Some(500.0));
    }
}
