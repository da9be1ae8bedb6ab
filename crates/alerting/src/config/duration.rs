//! Spans of time as people write them in the set-up: `5m`, `30 min`, `4 h`, `90s`.

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, de};

/// A span of whole seconds, at most a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub TimeDelta);

const LONGEST_SECONDS: i64 = 7 * 24 * 3600;

impl Span {
    /// Reads a number and a unit: `s`, `sec`, `m`, `min`, `h`, `hour(s)`, `d`, `day(s)`.
    ///
    /// # Errors
    /// A sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "no span of time: write a whole number and a unit, such as \"30s\", \"5m\" or \"4 h\", at most 7 days"
                .to_owned()
        };
        let split = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(split);
        let seconds_each = match unit.trim() {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 24 * 3600,
            _ => return Err(wrong()),
        };
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let seconds =
            number.checked_mul(seconds_each).filter(|seconds| *seconds <= LONGEST_SECONDS).ok_or_else(wrong)?;
        Ok(Self(TimeDelta::seconds(seconds)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_with_and_without_a_blank() {
        for text in ["5m", "5 min", "300s", "300 seconds"] {
            assert_eq!(Span::parse(text), Ok(Span(TimeDelta::minutes(5))), "{text}");
        }
        assert_eq!(Span::parse("4 h"), Ok(Span(TimeDelta::hours(4))));
    }

    #[test]
    fn what_is_no_span_is_refused_with_an_example() {
        for text in ["", "5", "m", "-5m", "5.5m", "five minutes", "8 days", "99999999999999999999s", "5 fortnights"] {
            assert!(Span::parse(text).unwrap_err().contains("such as"), "{text}");
        }
    }
}
