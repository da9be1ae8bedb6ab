//! Windows for the next visit, in days after the start of treatment.

use std::fmt;

use super::file;

/// How a window is laid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Nothing to plan.
    None,
    /// From this visit to the shortest limit of the active urgent findings.
    WithinLimit,
    FromStart(i64, i64),
    /// From this visit, neither end after `until`.
    FromVisit {
        span: (i64, i64),
        until: Option<i64>,
    },
    /// The next multiple of `every` whose window has not begun.
    Every {
        days: i64,
        tolerance: i64,
    },
}

/// No window of a protocol reaches further.
const MAX_DAYS: i64 = 3_650;

impl Window {
    pub(super) fn of(row: &file::NextVisit) -> Result<Self, &'static str> {
        let ordered = |[from, to]: [i64; 2]| (0..=to).contains(&from) && to <= MAX_DAYS;
        match (row.from_start, row.from_visit, row.every, row.within_limit) {
            (None, None, None, false) => Ok(Self::None),
            (None, None, None, true) => Ok(Self::WithinLimit),
            (Some(span), None, None, false) if ordered(span) => Ok(Self::FromStart(span[0], span[1])),
            (None, Some(span), None, false) if ordered(span) => {
                Ok(Self::FromVisit { span: (span[0], span[1]), until: row.until })
            }
            (None, None, Some(days), false) if (1..=MAX_DAYS).contains(&days) => {
                let tolerance = row.tolerance.unwrap_or(0);
                if (0..days).contains(&tolerance) {
                    return Ok(Self::Every { days, tolerance });
                }
                Err("the tolerance must be from 0 to less than the interval")
            }
            _ => Err("a next visit has at most one window: from_start, from_visit, every or \
                      within_limit, each with its first day not after its last"),
        }
    }

    /// First and last day for a visit on day `today`; `limit` is the shortest urgent one in days.
    pub(crate) fn days(self, today: i64, limit: i64) -> Option<(i64, i64)> {
        match self {
            Self::None => None,
            Self::WithinLimit => Some((today, today + limit)),
            Self::FromStart(from, to) => Some((from, to)),
            Self::FromVisit { span, until } => {
                let end = |day: i64| until.map_or(day, |until| day.min(until));
                Some((end(today + span.0), end(today + span.1)))
            }
            Self::Every { days, tolerance } => {
                let next = ((today + tolerance).div_euclid(days) + 1).max(1) * days;
                Some((next - tolerance, next + tolerance))
            }
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::WithinLimit => out.write_str("from this visit to the shortest limit"),
            Self::FromStart(from, to) => write!(out, "days {from} to {to} of treatment"),
            Self::FromVisit { span: (from, to), until } => {
                write!(out, "{from} to {to} days after this visit")?;
                until.map_or(Ok(()), |until| write!(out, ", not after day {until} of treatment"))
            }
            Self::Every { days, tolerance } => {
                write!(out, "every {days} days of treatment, {tolerance} days either way")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn a_window_that_has_begun_is_not_the_next() {
        let quarterly = Window::Every { days: 91, tolerance: 14 };
        let next = |today| quarterly.days(today, 0);
        assert_eq!(next(42), Some((77, 105)));
        assert_eq!(next(76), Some((77, 105)));
        assert_eq!(next(77), Some((168, 196)));
        assert_eq!(next(-500), Some((77, 105)));
    }

    #[test]
    fn a_window_from_this_visit_ends_where_it_must() {
        let weekly = Window::FromVisit { span: (7, 14), until: Some(42) };
        assert_eq!(weekly.days(14, 0), Some((21, 28)));
        assert_eq!(weekly.days(30, 0), Some((37, 42)));
        assert_eq!(weekly.days(41, 0), Some((42, 42)));
        assert_eq!(Window::WithinLimit.days(9, 1), Some((9, 10)));
    }
}
