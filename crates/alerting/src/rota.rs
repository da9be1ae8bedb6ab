//! Who is on call when: a pure function of a rota and an instant.
//! From its start on, exactly one member is on call at every instant, and turns change by the rota's own wall clock.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

use crate::ids::ContactName;
use crate::local;

#[cfg(test)]
mod tests;

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rota {
    pub(crate) zone: Tz,
    pub(crate) members: Vec<ContactName>,
    pub(crate) turn: Turn,
    pub(crate) start: Option<NaiveDate>,
}

/// How long a turn is and when it begins, by the rota's wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Seven days, from a weekday's time on.
    Weekly {
        /// The day of the hand-over.
        day: Weekday,
        /// The time of the hand-over.
        time: NaiveTime,
    },
    /// One day, from a time on.
    Daily {
        /// The time of the hand-over.
        time: NaiveTime,
    },
}

/// One person's turn: `from <= instant < to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift<'a> {
    /// Who is on call.
    pub who: &'a ContactName,
    /// The hand-over to this person.
    pub from: DateTime<Utc>,
    /// The hand-over to the next.
    pub to: DateTime<Utc>,
}

impl Turn {
    fn time(self) -> NaiveTime {
        match self {
            Self::Weekly { time, .. } | Self::Daily { time } => time,
        }
    }

    fn days(self) -> i64 {
        match self {
            Self::Weekly { .. } => 7,
            Self::Daily { .. } => 1,
        }
    }

    /// The first hand-over day on or after `date`.
    fn first_day(self, date: NaiveDate) -> NaiveDate {
        match self {
            Self::Daily { .. } => date,
            Self::Weekly { day, .. } => {
                let ahead = day.days_since(date.weekday());
                date.checked_add_days(Days::new(ahead.into())).unwrap_or(date)
            }
        }
    }
}

impl Rota {
    /// Who is on call at `instant`: nobody before the rota's start, or without members.
    pub fn on_call(&self, instant: DateTime<Utc>) -> Option<&ContactName> {
        self.shift(instant).map(|shift| shift.who)
    }

    /// When the first turn begins: a rota without a start has always begun.
    pub fn begins(&self) -> Option<DateTime<Utc>> {
        self.start.map(|_| self.hand_over(0))
    }

    /// The turn that `instant` falls into.
    pub fn shift(&self, instant: DateTime<Utc>) -> Option<Shift<'_>> {
        let shown = instant.with_timezone(&self.zone).naive_local();
        let near = (shown - self.anchor()).num_days().div_euclid(self.turn.days());
        let turn = (near - 1..=near + 1).rev().find(|turn| self.hand_over(*turn) <= instant)?;
        if turn < 0 && self.start.is_some() {
            return None;
        }
        let members = i64::try_from(self.members.len()).ok().filter(|members| *members > 0)?;
        let member = usize::try_from(turn.rem_euclid(members)).ok()?;
        Some(Shift { who: self.members.get(member)?, from: self.hand_over(turn), to: self.hand_over(turn + 1) })
    }

    /// The local time at which turn 0 begins.
    fn anchor(&self) -> NaiveDateTime {
        let start = self.start.or_else(|| NaiveDate::from_ymd_opt(2024, 1, 1)).unwrap_or_default();
        self.turn.first_day(start).and_time(self.turn.time())
    }

    /// When turn `turn` begins.
    fn hand_over(&self, turn: i64) -> DateTime<Utc> {
        let days = TimeDelta::try_days(turn.saturating_mul(self.turn.days())).unwrap_or_default();
        local::instant(self.zone, self.anchor().checked_add_signed(days).unwrap_or_else(|| self.anchor()))
    }
}
