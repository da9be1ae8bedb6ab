//! Readers for the single values of the record: words, whole numbers, dates, times, texts.

use chrono::{DateTime, FixedOffset, NaiveDate};
use lasegue_values::{DAYS, INSTANTS, Name, Note, Unfit};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::reader::Node;
use crate::suggest::nearest;
use crate::word::Word;

const MICRO: i64 = 1_000_000;

/// A body temperature, exact to a millionth of a degree Celsius.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Temperature {
    micro_celsius: i64,
}

impl Temperature {
    /// Millionths of a degree Celsius; digits after the sixth are cut off, so that no reading
    /// below a threshold is ever lifted to it.
    pub const fn micro_celsius(self) -> i64 {
        self.micro_celsius
    }

    pub(super) fn read(node: &Node) -> Option<Self> {
        let wrong = || node.refuse("must be a number of degrees Celsius from 30.0 to 45.0");
        let Some(number) = node.value().as_number() else {
            return wrong();
        };
        match decimal_micro(&number.to_string()) {
            Some(micro) if (30 * MICRO..=45 * MICRO).contains(&micro) => Some(Self { micro_celsius: micro }),
            _ => wrong(),
        }
    }
}

impl Serialize for Temperature {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "at most 45 million: exact in a double, and the shortest text comes back"
        )]
        let celsius = self.micro_celsius as f64 / MICRO as f64;
        to.serialize_f64(celsius)
    }
}

/// Reads a plain decimal numeral into millionths.
fn decimal_micro(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let six: String = part.chars().chain("000000".chars()).take(6).collect();
    if whole.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok().filter(|whole| (0..1_000).contains(whole))?;
    Some(whole * MICRO + six.parse::<i64>().ok()?)
}

pub(super) fn word<W: Word>(node: &Node) -> Option<W> {
    let text = node.text()?;
    W::from_word(text).or_else(|| {
        let words = || W::ALL.iter().map(|member| member.as_str());
        let all = words().collect::<Vec<_>>().join(", ");
        match nearest(text, words()) {
            Some(near) => node.refuse(format!("must be one of {all}; did you mean \"{near}\"?")),
            None => node.refuse(format!("must be one of {all}")),
        }
    })
}

/// A whole number from `min` to `max`.
pub(super) fn whole(min: i64, max: i64) -> impl Fn(&Node) -> Option<i64> {
    move |node| match whole_number(node.value()) {
        Some(number) if (min..=max).contains(&number) => Some(number),
        _ => node.refuse(format!("must be a whole number from {min} to {max}")),
    }
}

/// The whole number that a value is, also when it is written with a fraction of zero, as 2.0.
fn whole_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= 1e9)?;
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is small")]
        let number = number as i64;
        Some(number)
    })
}

/// A whole number from 0 to `max`, small enough for a byte.
pub(super) fn grade(max: u8) -> impl Fn(&Node) -> Option<u8> {
    move |node| u8::try_from(whole(0, i64::from(max))(node)?).ok()
}

pub(super) fn date(node: &Node) -> Option<NaiveDate> {
    let text = node.text()?;
    let kept = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| node.is_kept());
    lasegue_values::day(text).or_else(kept).or_else(|| node.refuse(DAYS))
}

pub(super) fn time(node: &Node) -> Option<DateTime<FixedOffset>> {
    let text = node.text()?;
    let kept = DateTime::parse_from_rfc3339(text).ok().filter(|_| node.is_kept());
    kept.or_else(|| lasegue_values::instant(text)).or_else(|| node.refuse(INSTANTS))
}

/// A text of one line: an identifier, a name, a code.
pub(super) fn name(node: &Node) -> Option<String> {
    fitting(node, |text| Name::parse(text).map(String::from))
}

/// A text of any number of lines.
pub(super) fn note(node: &Node) -> Option<String> {
    fitting(node, |text| Note::parse(text).map(String::from))
}

fn fitting(node: &Node, parse: fn(&str) -> Result<String, Unfit>) -> Option<String> {
    let text = node.text()?;
    if node.is_kept() {
        return Some(text.to_owned());
    }
    parse(text).map_or_else(|unfit| node.refuse(unfit.to_string()), Some)
}

/// Whether a block says nothing, so that it is left out of the JSON.
pub(super) fn blank<T: Default + PartialEq>(block: &T) -> bool {
    *block == T::default()
}
