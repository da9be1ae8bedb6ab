use proptest::prelude::*;

use super::*;

const ZONES: [Tz; 6] = [
    Tz::Europe__London,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kathmandu,
    Tz::Pacific__Apia,
    Tz::UTC,
];

fn rota(zone: Tz, members: usize, turn: Turn, start: Option<NaiveDate>) -> Rota {
    let members = (0..members).map(|member| ContactName(format!("member-{member}"))).collect();
    Rota { zone, members, turn, start }
}

fn time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn who(rota: &Rota, instant: &str) -> Option<String> {
    rota.on_call(utc(instant)).map(ToString::to_string)
}

#[test]
fn the_first_member_begins_on_the_start_and_the_turn_goes_round() {
    let turn = Turn::Weekly { day: Weekday::Mon, time: time(9, 0) };
    let rota = rota(Tz::Europe__London, 2, turn, NaiveDate::from_ymd_opt(2026, 1, 5));
    assert_eq!(who(&rota, "2026-01-05T08:59:59Z"), None);
    assert_eq!(who(&rota, "2026-01-05T09:00:00Z").unwrap(), "member-0");
    assert_eq!(who(&rota, "2026-01-12T08:59:59Z").unwrap(), "member-0");
    assert_eq!(who(&rota, "2026-01-12T09:00:00Z").unwrap(), "member-1");
    assert_eq!(who(&rota, "2026-01-19T09:00:00Z").unwrap(), "member-0");
}

#[test]
fn a_start_in_the_middle_of_the_week_waits_for_the_hand_over_day() {
    let turn = Turn::Weekly { day: Weekday::Fri, time: time(17, 0) };
    let rota = rota(Tz::UTC, 2, turn, NaiveDate::from_ymd_opt(2026, 1, 6));
    assert_eq!(who(&rota, "2026-01-09T16:59:59Z"), None);
    assert_eq!(who(&rota, "2026-01-09T17:00:00Z").unwrap(), "member-0");
}

#[test]
fn hand_over_stays_at_nine_local_time_when_the_clocks_change() {
    let rota = rota(Tz::Europe__London, 2, Turn::Weekly { day: Weekday::Mon, time: time(9, 0) }, None);
    let hand_overs = |from: &str| rota.shift(utc(from)).map(|shift| (shift.from, shift.to)).unwrap();
    assert_eq!(hand_overs("2026-03-28T12:00:00Z"), (utc("2026-03-23T09:00:00Z"), utc("2026-03-30T08:00:00Z")));
    assert_eq!(hand_overs("2026-10-24T12:00:00Z"), (utc("2026-10-19T08:00:00Z"), utc("2026-10-26T09:00:00Z")));
}

#[test]
fn a_daily_hand_over_in_the_skipped_hour_still_happens() {
    let rota = rota(Tz::Europe__London, 2, Turn::Daily { time: time(1, 30) }, None);
    let before = rota.on_call(utc("2026-03-29T01:29:59Z"));
    let after = rota.on_call(utc("2026-03-29T01:30:00Z"));
    assert!(before.is_some() && after.is_some() && before != after);
}

#[test]
fn a_daily_hand_over_in_the_repeated_hour_happens_once() {
    let rota = rota(Tz::Europe__London, 5, Turn::Daily { time: time(1, 30) }, None);
    let first = rota.on_call(utc("2026-10-25T00:30:00Z"));
    assert_ne!(rota.on_call(utc("2026-10-25T00:29:59Z")), first);
    assert_eq!(rota.on_call(utc("2026-10-25T01:30:00Z")), first);
    assert_eq!(rota.on_call(utc("2026-10-26T01:29:59Z")), first);
}

#[test]
fn a_rota_without_members_has_nobody_on_call() {
    assert_eq!(rota(Tz::UTC, 0, Turn::Daily { time: time(9, 0) }, None).on_call(utc("2026-01-01T00:00:00Z")), None);
}

fn any_turn() -> impl Strategy<Value = Turn> {
    (0_u8..7, 0_u32..24, 0_u32..60, any::<bool>()).prop_map(|(day, hour, minute, weekly)| {
        let (day, time) = (Weekday::try_from(day).unwrap(), time(hour, minute));
        if weekly { Turn::Weekly { day, time } } else { Turn::Daily { time } }
    })
}

proptest! {
    #[test]
    fn one_member_is_on_call_at_every_instant_and_shifts_join(
        zone in prop::sample::select(ZONES.to_vec()),
        members in 1_usize..6,
        turn in any_turn(),
        seconds in 0_i64..4_000_000_000,
    ) {
        let rota = rota(zone, members, turn, None);
        let instant = DateTime::from_timestamp(seconds, 0).unwrap();
        let shift = rota.shift(instant).unwrap();
        prop_assert!(shift.from <= instant && instant < shift.to);
        let next = rota.shift(shift.to).unwrap();
        prop_assert_eq!(next.from, shift.to);
        prop_assert_eq!(next.who == shift.who, members == 1);
        let last_second = rota.shift(shift.to - TimeDelta::seconds(1)).unwrap();
        prop_assert_eq!(last_second, shift);
    }

    #[test]
    fn hand_over_is_at_the_local_time_unless_the_clock_skips_it(
        zone in prop::sample::select(ZONES.to_vec()),
        turn in any_turn(),
        seconds in 0_i64..4_000_000_000,
    ) {
        let rota = rota(zone, 3, turn, None);
        let from = rota.shift(DateTime::from_timestamp(seconds, 0).unwrap()).unwrap().from.with_timezone(&zone);
        let skipped = zone.offset_from_local_is_gap(from.date_naive(), turn.time());
        if !skipped {
            prop_assert_eq!(from.time(), turn.time());
            if let Turn::Weekly { day, .. } = turn {
                prop_assert_eq!(from.weekday(), day);
            }
        }
    }
}

trait SkipsTime {
    fn offset_from_local_is_gap(&self, date: NaiveDate, time: NaiveTime) -> bool;
}

impl SkipsTime for Tz {
    fn offset_from_local_is_gap(&self, date: NaiveDate, time: NaiveTime) -> bool {
        use chrono::TimeZone;
        let near = |days: i64| date + TimeDelta::days(days);
        (-1..=0).any(|days| self.from_local_datetime(&near(days).and_time(time)).earliest().is_none())
    }
}
