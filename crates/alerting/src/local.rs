//! From a clinic's wall clock to an instant, also where the clock jumps.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Longer than any jump of a zone's clock (a whole day was skipped in Samoa in 2011).
const LONGEST_JUMP_HOURS: i64 = 48;

/// The instant at which the clocks of `zone` show `local`.
///
/// A time that comes twice is the first of the two; a time that is skipped is read with the offset from before the
/// jump, as RFC 5545 (3.3.5) does: 01:30 skipped by an hour is 02:30.
pub(crate) fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let shown = |back: i64| {
        let delta = TimeDelta::hours(back);
        let found = zone.from_local_datetime(&local.checked_sub_signed(delta)?).earliest()?;
        found.with_timezone(&Utc).checked_add_signed(delta)
    };
    (0..=LONGEST_JUMP_HOURS).find_map(shown).unwrap_or_else(|| local.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(local: &str) -> String {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
        instant(Tz::Europe__London, local).to_rfc3339()
    }

    #[test]
    fn a_skipped_time_is_read_with_the_offset_before_the_jump() {
        assert_eq!(at("2026-03-29 00:59"), "2026-03-29T00:59:00+00:00");
        assert_eq!(at("2026-03-29 01:30"), "2026-03-29T01:30:00+00:00");
        assert_eq!(at("2026-03-29 02:30"), "2026-03-29T01:30:00+00:00");
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first() {
        assert_eq!(at("2026-10-25 01:30"), "2026-10-25T00:30:00+00:00");
        assert_eq!(at("2026-10-25 02:00"), "2026-10-25T02:00:00+00:00");
    }

    #[test]
    fn a_whole_day_that_is_skipped_is_no_trouble() {
        let local = NaiveDateTime::parse_from_str("2011-12-30 09:00", "%Y-%m-%d %H:%M").unwrap();
        assert_eq!(instant(Tz::Pacific__Apia, local).to_rfc3339(), "2011-12-30T19:00:00+00:00");
    }
}
