//! Instants and days that every database keeps as they are: of the years 1900 to 2200, exact to the microsecond.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SubsecRound, Timelike};

/// The years there are.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// What [`instant`] reads.
pub const INSTANTS: &str =
    "must be a time of the years 1900 to 2200 with its offset from UTC, as 2026-01-31T09:30:00+01:00";
/// What [`day`] reads.
pub const DAYS: &str = "must be a date of the calendar, as 2026-01-31, of the years 1900 to 2200";

/// Reads an RFC 3339 time. What is finer than a microsecond is cut off; a leap second ends the second before it.
pub fn instant(text: &str) -> Option<DateTime<FixedOffset>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let time = time.with_nanosecond(time.nanosecond().min(999_999_999))?.trunc_subsecs(6);
    let known = YEARS.contains(&time.year()) && YEARS.contains(&time.to_utc().year());
    known.then_some(time)
}

/// Reads a date as ISO 8601 writes it.
pub fn day(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (shaped && YEARS.contains(&date.year())).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_the_years_that_count_are_none() {
        for text in [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+23:59",
            "1899-12-31T23:59:59Z",
            "1900-01-01T00:00:00+01:00",
            "2201-01-01T00:00:00Z",
            "2200-12-31T23:59:59-01:00",
            "9999-12-31T23:59:59-12:00",
            "2026-01-31T09:30:00",
            "2026-01-31",
            "+12026-01-31T09:30:00Z",
            "",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
        for text in ["1900-01-01T00:00:00Z", "2200-12-31T23:59:59Z", "2026-02-28T23:59:59.999999-12:00"] {
            assert!(instant(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_no_database_keeps_of_a_time_is_cut_off() {
        let cut = |text: &str| instant(text).map(|at| at.to_rfc3339());
        assert_eq!(cut("2026-01-31T09:30:00.123456789+01:00").as_deref(), Some("2026-01-31T09:30:00.123456+01:00"));
        assert_eq!(cut("2016-12-31T23:59:60Z").as_deref(), Some("2016-12-31T23:59:59.999999+00:00"));
    }

    #[test]
    fn a_day_is_one_of_the_calendar() {
        for text in ["2026-02-29", "0000-01-01", "1899-12-31", "2201-01-01", "2026-1-31", "-026-01-01", "+026-01-01"] {
            assert_eq!(day(text), None, "{text}");
        }
        assert!(day("2024-02-29").is_some() && day("1900-01-01").is_some());
    }
}
