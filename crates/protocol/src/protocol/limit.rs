//! By when to act on a finding.

use std::fmt;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The time that is left from the visit on; a shorter one is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// At once.
    Now,
    /// Before the end of the patient's calendar day.
    SameDay,
    /// Within so many hours.
    Hours(u16),
    /// Within so many days.
    Days(u16),
}

impl Limit {
    /// Reads `now`, `same-day`, hours up to two days as `24h`, or days as `7d`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let count = |digits: &str| digits.parse::<u16>().ok().filter(|n| *n > 0);
        match text {
            "now" => Some(Self::Now),
            "same-day" => Some(Self::SameDay),
            _ => match (text.strip_suffix('h'), text.strip_suffix('d')) {
                (Some(hours), _) => count(hours).filter(|n| *n <= 48).map(Self::Hours),
                (_, Some(days)) => count(days).filter(|n| *n <= 366).map(Self::Days),
                _ => None,
            },
        }
    }

    /// Whole days that a visit may wait.
    pub(crate) fn days(self) -> i64 {
        match self {
            Self::Now | Self::SameDay => 0,
            Self::Hours(hours) => i64::from(hours.div_ceil(24)),
            Self::Days(days) => i64::from(days),
        }
    }

    /// The time by which to act on what a visit showed at `seen`, on the local `day`.
    pub(crate) fn deadline(self, seen: DateTime<Utc>, day: NaiveDate, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Now => seen,
            Self::SameDay => end_of(day, zone).unwrap_or(seen),
            Self::Hours(hours) => seen + Duration::hours(hours.into()),
            Self::Days(days) => seen + Duration::days(days.into()),
        }
    }
}

/// The last second of a local day; the last that exists, where the clock is put forward over it.
fn end_of(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let last = day.and_time(NaiveTime::from_hms_opt(23, 59, 59)?);
    let local = zone.from_local_datetime(&last).latest();
    let local = local.or_else(|| zone.from_local_datetime(&(last - Duration::hours(2))).latest());
    Some(local?.with_timezone(&Utc))
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => out.write_str("now"),
            Self::SameDay => out.write_str("same-day"),
            Self::Hours(hours) => write!(out, "{hours}h"),
            Self::Days(days) => write!(out, "{days}d"),
        }
    }
}
