//! When a new alert is paged. Emergencies and same-day findings have no hours: nothing here can delay them.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::local;
use crate::severity::Urgency;

/// The clinic's day: `from <= local time < to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    pub(crate) zone: Tz,
    pub(crate) from: NaiveTime,
    pub(crate) to: NaiveTime,
}

/// Half of the 24 hours within which such a finding wants an answer.
const HALF_A_DAY: TimeDelta = TimeDelta::hours(12);

impl Hours {
    /// When an alert that is known since `now` is paged: `now` itself or later.
    ///
    /// 24 hours: by day at once, at night in the morning, but never after half the limit. Seven days: when overdue.
    pub fn due(&self, urgency: Urgency, respond_by: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        match urgency {
            Urgency::Emergency | Urgency::SameDay => now,
            Urgency::OneDay => self.next_open(now).min(before(respond_by, HALF_A_DAY)).max(now),
            Urgency::SevenDays => respond_by.max(now),
        }
    }

    /// `now` when the clinic's day is on, else when it next begins.
    fn next_open(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let shown = now.with_timezone(&self.zone).naive_local();
        if (self.from..self.to).contains(&shown.time()) {
            return now;
        }
        let wait = u64::from(shown.time() >= self.to);
        let morning = shown.date().checked_add_days(Days::new(wait)).unwrap_or(shown.date());
        local::instant(self.zone, morning.and_time(self.from)).max(now)
    }
}

fn before(instant: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    instant.checked_sub_signed(span).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours() -> Hours {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        Hours { zone: Tz::Europe__London, from: time(7), to: time(22) }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn due(urgency: Urgency, now: &str, respond_by: &str) -> DateTime<Utc> {
        hours().due(urgency, utc(respond_by), utc(now))
    }

    #[test]
    fn a_24_hour_finding_of_the_day_is_paged_at_once() {
        assert_eq!(due(Urgency::OneDay, "2026-07-01T09:00:00Z", "2026-07-02T09:00:00Z"), utc("2026-07-01T09:00:00Z"));
    }

    #[test]
    fn a_24_hour_finding_of_the_night_waits_for_seven_local_time() {
        assert_eq!(due(Urgency::OneDay, "2026-07-01T21:30:00Z", "2026-07-02T21:00:00Z"), utc("2026-07-02T06:00:00Z"));
        assert_eq!(due(Urgency::OneDay, "2026-07-02T01:30:00Z", "2026-07-02T21:00:00Z"), utc("2026-07-02T06:00:00Z"));
    }

    #[test]
    fn the_night_does_not_hold_a_finding_past_half_its_limit() {
        assert_eq!(due(Urgency::OneDay, "2026-01-01T23:00:00Z", "2026-01-02T15:00:00Z"), utc("2026-01-02T03:00:00Z"));
        assert_eq!(due(Urgency::OneDay, "2026-01-01T23:00:00Z", "2026-01-02T04:00:00Z"), utc("2026-01-01T23:00:00Z"));
    }

    #[test]
    fn a_seven_day_finding_is_paged_when_overdue() {
        assert_eq!(
            due(Urgency::SevenDays, "2026-01-01T12:00:00Z", "2026-01-08T12:00:00Z"),
            utc("2026-01-08T12:00:00Z")
        );
        assert_eq!(
            due(Urgency::SevenDays, "2026-01-09T12:00:00Z", "2026-01-08T12:00:00Z"),
            utc("2026-01-09T12:00:00Z")
        );
    }

    proptest! {
        #[test]
        fn no_hours_delay_an_emergency_or_a_same_day_finding(now in 0_i64..4_000_000_000, from in 0_u32..23, length in 1_u32..23) {
            let hours = Hours {
                zone: Tz::America__New_York,
                from: NaiveTime::from_hms_opt(from, 0, 0).unwrap(),
                to: NaiveTime::from_hms_opt((from + length).min(23), 59, 0).unwrap(),
            };
            let now = DateTime::from_timestamp(now, 0).unwrap();
            for urgency in [Urgency::Emergency, Urgency::SameDay] {
                prop_assert_eq!(hours.due(urgency, now + TimeDelta::days(9), now), now);
            }
        }

        #[test]
        fn a_24_hour_finding_is_never_later_than_half_its_limit(now in 0_i64..4_000_000_000, left in -48_i64..24) {
            let now = DateTime::from_timestamp(now, 0).unwrap();
            let respond_by = now + TimeDelta::hours(left);
            let due = hours().due(Urgency::OneDay, respond_by, now);
            prop_assert!(due >= now && due <= (respond_by - HALF_A_DAY).max(now));
        }
    }
}
