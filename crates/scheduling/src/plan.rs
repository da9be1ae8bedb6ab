//! What comes next for an episode, and when that is due and overdue: whole local days of the episode's time zone, right
//! at every change of the clocks.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// What kind of visit comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An emergency has to be dealt with first.
    Hold,
    Urgent,
    /// None is needed.
    None,
    Intensified,
    Initial,
    SixWeek,
    ThreeMonthly,
}

/// The next visit of an episode. A window stands exactly where the kind asks for a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    kind: Kind,
    window: Option<Window>,
}

/// The days on which a visit should be, first and last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    earliest: NaiveDate,
    latest: NaiveDate,
    zone: Tz,
}

/// Where a plan stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// No visit is planned.
    Unplanned,
    /// The window has not opened.
    Planned,
    /// The window is open.
    Due,
    /// The window has closed and nobody came.
    Overdue,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::Hold, Self::Urgent, Self::None, Self::Intensified, Self::Initial, Self::SixWeek, Self::ThreeMonthly];

    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Urgent => "urgent",
            Self::None => "none",
            Self::Intensified => "intensified",
            Self::Initial => "initial",
            Self::SixWeek => "six-week",
            Self::ThreeMonthly => "three-monthly",
        }
    }

    /// The kind that a word names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    const fn asks_for_a_visit(self) -> bool {
        !matches!(self, Self::Hold | Self::None)
    }
}

impl Plan {
    /// None where a window is missing, or stands where none belongs.
    pub(crate) fn new(kind: Kind, window: Option<Window>) -> Option<Self> {
        (kind.asks_for_a_visit() == window.is_some()).then_some(Self { kind, window })
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) const fn window(&self) -> Option<Window> {
        self.window
    }

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

impl Window {
    /// None when it ends before it begins.
    pub(crate) fn new(earliest: NaiveDate, latest: NaiveDate, zone: Tz) -> Option<Self> {
        (earliest <= latest).then_some(Self { earliest, latest, zone })
    }

    pub(crate) const fn earliest(self) -> NaiveDate {
        self.earliest
    }

    pub(crate) const fn latest(self) -> NaiveDate {
        self.latest
    }

    /// When it opens: the first instant of the earliest day.
    pub(crate) fn opens(self) -> DateTime<Utc> {
        start_of(self.earliest, self.zone)
    }

    /// When it has closed: the first instant after the latest day.
    pub(crate) fn closes(self) -> DateTime<Utc> {
        start_of(self.latest.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX), self.zone)
    }
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

    /// The state that a word names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == word)
    }

    /// The states on the way from this one to a later one, that one included.
    pub(crate) fn until(self, later: Self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |state| self < *state && *state <= later)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far to look for the first instant of a day whose midnight does not exist: longer than any clock was ever put
/// forward, a whole skipped day included.
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// The first instant of a local day. Where midnight does not exist, the first that does.
fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..=LONGEST_GAP_MINUTES)
        .filter_map(|minutes| midnight.checked_add_signed(TimeDelta::minutes(minutes)))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map_or_else(|| midnight.and_utc(), |local| local.to_utc())
}

#[cfg(test)]
mod tests;
