//! When a visit is due and overdue: whole local days of the episode's time zone, right at every change of the clocks.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// What comes next for an episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// `hold`, `urgent`, `none`, `intensified`, `initial`, `six-week` or `three-monthly`.
    pub(crate) kind: String,
    /// None when nothing is to be planned.
    pub(crate) window: Option<Window>,
}

/// The days on which a visit should be, first and last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) earliest: NaiveDate,
    pub(crate) latest: NaiveDate,
    pub(crate) zone: Tz,
}

/// Where a plan stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Nothing to plan.
    Unplanned,
    /// The window has not opened.
    Planned,
    /// The window is open.
    Due,
    /// The window has closed and nobody came.
    Overdue,
}

impl State {
    pub(crate) const ALL: [Self; 4] = [Self::Unplanned, Self::Planned, Self::Due, Self::Overdue];

    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unplanned => "unplanned",
            Self::Planned => "planned",
            Self::Due => "due",
            Self::Overdue => "overdue",
        }
    }
}

impl Window {
    /// When it opens: the first instant of the earliest day.
    pub(crate) fn opens(self) -> DateTime<Utc> {
        start_of(self.earliest, self.zone)
    }

    /// When it has closed: the first instant after the latest day.
    pub(crate) fn closes(self) -> DateTime<Utc> {
        start_of(self.latest.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX), self.zone)
    }
}

impl Plan {
    /// Where the plan stands at `now`.
    pub(crate) fn state(&self, now: DateTime<Utc>) -> State {
        match self.window {
            None => State::Unplanned,
            Some(window) if now >= window.closes() => State::Overdue,
            Some(window) if now >= window.opens() => State::Due,
            Some(_) => State::Planned,
        }
    }

    /// When that next changes.
    pub(crate) fn next_change(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let window = self.window?;
        [window.opens(), window.closes()].into_iter().find(|change| *change > now)
    }
}

/// The first instant of a local day. Where midnight does not exist, the first that does.
fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..=8)
        .find_map(|quarters| zone.from_local_datetime(&(midnight + TimeDelta::minutes(15 * quarters))).earliest())
        .map_or_else(|| midnight.and_utc(), |local| local.to_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(earliest: &str, latest: &str, zone: Tz) -> Plan {
        let day = |text: &str| text.parse().expect("a date");
        Plan {
            kind: "six-week".to_owned(),
            window: Some(Window { earliest: day(earliest), latest: day(latest), zone }),
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_window_opens_and_closes_at_local_midnight() {
        let plan = plan("2026-02-12", "2026-02-19", Tz::America__New_York);
        assert_eq!(plan.state(at("2026-02-12T04:59:59Z")), State::Planned);
        assert_eq!(plan.state(at("2026-02-12T05:00:00Z")), State::Due);
        assert_eq!(plan.state(at("2026-02-20T04:59:59Z")), State::Due);
        assert_eq!(plan.state(at("2026-02-20T05:00:00Z")), State::Overdue);
    }

    #[test]
    fn a_day_whose_midnight_does_not_exist_begins_with_its_first_instant() {
        // In Beirut the clocks went from 00:00 to 01:00 on 28 March 2021.
        let plan = plan("2021-03-28", "2021-03-28", Tz::Asia__Beirut);
        assert_eq!(plan.window.map(Window::opens), Some(at("2021-03-27T22:00:00Z")));
    }

    #[test]
    fn nothing_planned_is_never_due() {
        let plan = Plan { kind: "hold".to_owned(), window: None };
        assert_eq!(
            (plan.state(at("2026-01-01T00:00:00Z")), plan.next_change(at("2026-01-01T00:00:00Z"))),
            (State::Unplanned, None)
        );
    }

    proptest! {
        #[test]
        fn a_state_only_moves_on_and_changes_exactly_when_it_says(
            start in 0_i64..20_000, length in 0_i64..60, zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            before in 0_i64..200,
        ) {
            let earliest = NaiveDate::default() + TimeDelta::days(start);
            let window = Window { earliest, latest: earliest + TimeDelta::days(length), zone };
            let plan = Plan { kind: String::new(), window: Some(window) };
            let mut now = window.opens() - TimeDelta::hours(before + 1);
            let mut seen = vec![plan.state(now)];
            while let Some(change) = plan.next_change(now) {
                prop_assert_eq!(plan.state(change - TimeDelta::seconds(1)), *seen.last().expect("one"));
                now = change;
                seen.push(plan.state(now));
            }
            prop_assert_eq!(seen, vec![State::Planned, State::Due, State::Overdue]);
        }
    }
}
