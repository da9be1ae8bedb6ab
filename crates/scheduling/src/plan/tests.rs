use chrono::{Offset, Timelike};
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn plan(earliest: &str, latest: &str, zone: Tz) -> Plan {
    Plan::new(Kind::SixWeek, Window::new(day(earliest), day(latest), zone)).expect("a visit with a window")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn opens(day: &str, zone: Tz) -> DateTime<Utc> {
    plan(day, day, zone).window().expect("a window").opens()
}

#[test]
fn a_window_opens_and_closes_at_local_midnight() {
    let plan = plan("2026-02-12", "2026-02-19", Tz::America__New_York);
    for (now, state) in [
        ("2026-02-12T04:59:59Z", State::Planned),
        ("2026-02-12T05:00:00Z", State::Due),
        ("2026-02-20T04:59:59Z", State::Due),
        ("2026-02-20T05:00:00Z", State::Overdue),
    ] {
        assert_eq!(plan.state(at(now)), state, "{now}");
    }
}

#[test]
fn a_day_whose_midnight_does_not_exist_begins_with_its_first_instant() {
    // Beirut put the clocks from 00:00 to 01:00 on 28 March 2021; Apia had no 30 December 2011.
    assert_eq!(opens("2021-03-28", Tz::Asia__Beirut), at("2021-03-27T22:00:00Z"));
    assert_eq!(opens("2011-12-30", Tz::Pacific__Apia), opens("2011-12-31", Tz::Pacific__Apia));
}

#[test]
fn a_day_whose_midnight_comes_twice_begins_with_the_first() {
    // Havana put the clocks from 01:00 back to 00:00 on 1 November 2026.
    assert_eq!(opens("2026-11-01", Tz::America__Havana), at("2026-11-01T04:00:00Z"));
}

#[test]
fn a_day_of_23_hours_and_one_of_25_end_when_the_next_begins() {
    for (on, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)] {
        let window = plan(on, on, Tz::Europe__London).window().expect("a window");
        assert_eq!((window.closes() - window.opens()).num_hours(), hours, "{on}");
    }
}

#[test]
fn a_window_stands_exactly_where_a_visit_is_asked_for() {
    let window = Window::new(day("2026-02-12"), day("2026-02-12"), Tz::UTC);
    for kind in Kind::ALL {
        let asks = !matches!(kind, Kind::Hold | Kind::None);
        assert_eq!(Plan::new(kind, window).is_some(), asks, "{kind}");
        assert_eq!(Plan::new(kind, None).is_some(), !asks, "{kind}");
    }
    assert_eq!(Window::new(day("2026-02-12"), day("2026-02-11"), Tz::UTC), None);
}

#[test]
fn without_a_visit_nothing_is_ever_due() {
    let hold = Plan::new(Kind::Hold, None).expect("hold has no window");
    let now = at("2026-02-12T05:00:00Z");
    assert_eq!((hold.state(now), hold.next_change(now)), (State::Unplanned, None));
}

#[test]
fn who_was_away_learns_of_every_state_in_between() {
    let until = |from: State, to: State| from.until(to).collect::<Vec<_>>();
    assert_eq!(until(State::Planned, State::Overdue), [State::Due, State::Overdue]);
    assert_eq!(until(State::Due, State::Overdue), [State::Overdue]);
    assert_eq!(until(State::Due, State::Due), []);
    assert_eq!(until(State::Overdue, State::Planned), []);
}

#[test]
fn words_name_what_they_came_from() {
    assert!(Kind::ALL.iter().all(|kind| Kind::named(kind.name()) == Some(*kind)));
    assert!(State::ALL.iter().all(|state| State::named(state.name()) == Some(*state)));
    assert_eq!((Kind::named("weekly"), State::named("late")), (None, None));
}

fn any_window() -> impl Strategy<Value = Window> {
    let zone = prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec());
    (0_i64..30_000, 0_i64..60, zone).prop_map(|(start, length, zone)| {
        let earliest = NaiveDate::default() + TimeDelta::days(start);
        Window::new(earliest, earliest + TimeDelta::days(length), zone).expect("it ends after it begins")
    })
}

proptest! {
    #[test]
    fn a_state_only_moves_on_and_changes_exactly_when_it_says(window in any_window(), before in 1_i64..200) {
        let plan = Plan::new(Kind::Initial, Some(window)).expect("a visit with a window");
        let mut now = window.opens() - TimeDelta::hours(before);
        let mut seen = vec![plan.state(now)];
        while let Some(change) = plan.next_change(now) {
            prop_assert_eq!(plan.state(change - TimeDelta::microseconds(1)), *seen.last().expect("one"));
            now = change;
            seen.push(plan.state(now));
        }
        // A window of nothing but a day that its zone left out opens and closes at once.
        let skipped = window.opens() == window.closes();
        prop_assert!(skipped || seen == [State::Planned, State::Due, State::Overdue], "{:?}", seen);
    }

    #[test]
    fn a_window_opens_on_its_first_day_and_the_instant_before_is_another(window in any_window()) {
        let local = |at: DateTime<Utc>| at.with_timezone(&window.zone);
        let (opening, before) = (local(window.opens()), local(window.opens() - TimeDelta::microseconds(1)));
        prop_assert!(opening.date_naive() >= window.earliest());
        prop_assert!(before.date_naive() < window.earliest());
        let ordinary = opening.offset().fix() == before.offset().fix();
        prop_assert!(!ordinary || (opening.date_naive() == window.earliest() && opening.num_seconds_from_midnight() == 0));
    }

    #[test]
    fn a_window_is_open_on_each_of_its_days_at_noon(window in any_window()) {
        let plan = Plan::new(Kind::Initial, Some(window)).expect("a visit with a window");
        let noon = |day: NaiveDate| {
            let local = day.and_hms_opt(12, 0, 0).expect("noon");
            window.zone.from_local_datetime(&local).earliest().map(|noon| noon.to_utc())
        };
        for day in [window.earliest(), window.latest()] {
            prop_assert!(noon(day).is_none_or(|noon| plan.state(noon) == State::Due));
        }
        let outside = [window.earliest() - Days::new(1), window.latest() + Days::new(1)];
        prop_assert!(outside.into_iter().filter_map(noon).all(|noon| plan.state(noon) != State::Due));
    }
}
