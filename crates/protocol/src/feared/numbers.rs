//! Which numbers a value may be, whatever its type: a text holds each of them that can be meant by it.

use lasegue_values::legible;
use serde_json::Value;

use super::extent::{of_name, of_text};
use super::names::plain;
use super::values::{consists_of, is_blank, is_unanswered};

/// More than a bladder holds, in mL: a number above it was not meant.
const MOST_RESIDUAL: f64 = 10_000.0;

/// A broken number up to this, in mL, may be one of litres, or one of thousands: a bladder holds no more.
const FEW_RESIDUAL: f64 = 3.0;

/// Above this a temperature is one of Fahrenheit.
const HOTTEST: f64 = 80.0;

/// A number in a text, and the word that follows it.
struct Found {
    digits: String,
    unit: String,
}

/// Words beside numbers that say nothing of how large they are, or what their unit is, plain.
const BESIDE: [&str; 33] = [
    "m",
    "mrc",
    "grade",
    "out",
    "of",
    "left",
    "right",
    "side",
    "ml",
    "cc",
    "millilitre",
    "millilitres",
    "milliliter",
    "milliliters",
    "after",
    "min",
    "c",
    "f",
    "celsius",
    "fahrenheit",
    "degrees",
    "since",
    "on",
    "at",
    "bladder",
    "scan",
    "approx",
    "ca",
    "about",
    "oral",
    "tympanic",
    "to",
    "by",
];

/// Words that say that a strength or a temperature is as it should be, plain.
const NORMAL: [&str; 4] = ["normal", "full", "intact", "afebrile"];

/// Whether a value says all that it says in numbers, or that there is none.
pub(super) fn are_all(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let text = legible(of_text(text)).to_lowercase().replace('\u{b0}', " ");
            let units = ["l", "lt", "ltr", "litre", "litres", "liter", "liters", "dl", "cl", "e"];
            let is_number = text.contains(|sign: char| sign.is_ascii_digit());
            is_blank(&text)
                || is_unanswered(&text)
                || consists_of(&apart(&text), &[&BESIDE, &NORMAL, &units])
                    && (is_number || consists_of(&text, &[&NORMAL]))
        }
        // Nothing here is less than nothing: it stands for something else.
        Value::Number(number) => number.as_f64().is_none_or(|number| number >= 0.0),
        Value::Null | Value::Array(_) | Value::Object(_) => true,
        Value::Bool(_) => false,
    }
}

/// With a blank between each number and what stands beside it.
fn apart(text: &str) -> String {
    let mut apart = String::with_capacity(2 * text.len());
    let mut digit = false;
    for sign in text.chars() {
        if digit != sign.is_ascii_digit() {
            apart.push(' ');
        }
        digit = sign.is_ascii_digit();
        apart.push(sign);
    }
    apart
}

/// How many millilitres the unit is that a text names, when it is a larger one and nothing else.
pub(super) fn unit(text: &str) -> Option<f64> {
    let times = millilitres_of(&plain(&legible(of_name(text))));
    (times > 1.0).then_some(times)
}

/// How many millilitres the unit is at the end of a residual's name, when it is a larger one.
pub(super) fn unit_in(name: &str) -> Option<f64> {
    unit(plain(&legible(of_name(name))).rsplit("residual").next().unwrap_or_default())
}

/// Every number that the value may be.
pub(super) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(number) => number.as_f64().into_iter().collect(),
        Value::String(text) => {
            let text = without_dates(&legible(of_text(text)));
            whole(&text).into_iter().chain(found(&text).iter().flat_map(Found::readings)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

/// A temperature in degrees Celsius, whichever scale it was read from.
pub(super) fn celsius(number: f64) -> f64 {
    if number > HOTTEST { (number - 32.0) / 1.8 } else { number }
}

/// The most millilitres that the value may be, where its unit may be `times` as large.
pub(super) fn millilitres(value: &Value, times: f64) -> Option<f64> {
    let mut meant = match value {
        Value::String(text) => in_text(&without_dates(&legible(of_text(text)))),
        other => numbers(other),
    };
    meant.extend(meant.clone().iter().map(|number| number * times));
    let broken = |number: f64| if number <= FEW_RESIDUAL && number.fract() > 0.0 { 1_000.0 * number } else { number };
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

/// A text without its words that begin as a date of ISO 8601 does.
fn without_dates(text: &str) -> String {
    let is_date = |word: &str| {
        let bytes = word.as_bytes();
        let sign = |at: usize| bytes.get(at) == Some(&b'-');
        sign(4) && sign(7) && bytes.iter().take(10).filter(|byte| byte.is_ascii_digit()).count() == 8
    };
    text.split_inclusive(char::is_whitespace).filter(|word| !is_date(word)).collect()
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
            assert_eq!(millilitres(&json!(text), 1.0), Some(expected), "{text}");
        }
        assert_eq!(millilitres(&json!(0.5), 1.0), Some(500.0));
    }

    #[test]
    fn a_larger_unit_beside_a_number_or_in_its_name_counts() {
        for (text, times) in [("L", 1_000.0), ("litres", 1_000.0), (" dl ", 100.0)] {
            assert_eq!(unit(text), Some(times), "{text}");
        }
        assert_eq!(unit_in("post_void_residual_l"), Some(1_000.0));
        assert_eq!(unit_in("postVoidResidualLitres"), Some(1_000.0));
        for other in ["post_void_residual_ml", "post_void_residual", "ml", ""] {
            assert_eq!(unit(other).or_else(|| unit_in(other)), None, "{other}");
        }
        assert_eq!(millilitres(&json!(1), 1_000.0), Some(1_000.0));
        assert_eq!(millilitres(&json!(60), 1_000.0), Some(60.0), "nobody holds so many litres");
    }

    #[test]
    fn what_a_value_says_beside_its_numbers_is_noticed() {
        for clear in [
            json!(5),
            json!("5/5"),
            json!("M5"),
            json!("60mL"),
            json!("after 20 min: 450 ml"),
            json!("39,2 \u{b0}C"),
            json!("normal"),
            json!("not tested"),
            json!("-"),
            json!("1.2e2"),
            json!(null),
        ] {
            assert!(are_all(&clear), "{clear}");
        }
        for unclear in [
            json!("II/V"),
            json!("two"),
            json!("5, but II in the evening"),
            json!("\u{666}\u{660}\u{660}"),
            json!(true),
            json!("5 \u{2713}"),
        ] {
            assert!(!are_all(&unclear), "{unclear}");
        }
    }
}
