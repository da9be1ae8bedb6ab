//! What made a record be evaluated, and so how urgently the outcome travels.

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_contracts::event::Lane;

/// A red flag of an import whose visit is at most this old travels live: somebody may still be in danger.
const RECENT: TimeDelta = TimeDelta::days(7);

/// Why a record is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Something came in on a lane.
    Event(Lane),
    /// The protocol was changed, which is no news about anybody.
    Rules,
}

impl Cause {
    /// The lane of the result.
    pub(crate) const fn lane(self) -> Lane {
        match self {
            Self::Event(lane) => lane,
            Self::Rules => Lane::Bulk,
        }
    }

    /// The lane of the red flags of a visit.
    pub(crate) fn red_flag_lane(self, assessed_at: DateTime<Utc>, now: DateTime<Utc>) -> Lane {
        match self {
            Self::Event(_) if now - assessed_at <= RECENT => Lane::Live,
            Self::Event(lane) => lane,
            Self::Rules => Lane::Bulk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_old_and_came_in_bulk_or_is_no_news_stays_in_bulk() {
        let now: DateTime<Utc> = "2026-01-21T09:00:00Z".parse().expect("an instant");
        let (week, year) = (TimeDelta::days(7), TimeDelta::days(365));
        for (cause, age, lane) in [
            (Cause::Event(Lane::Live), year, Lane::Live),
            (Cause::Event(Lane::Bulk), week, Lane::Live),
            (Cause::Event(Lane::Bulk), week + TimeDelta::seconds(1), Lane::Bulk),
            (Cause::Rules, TimeDelta::zero(), Lane::Bulk),
        ] {
            assert_eq!(cause.red_flag_lane(now - age, now), lane, "{cause:?} {age}");
        }
    }

    #[test]
    fn a_result_never_leaves_the_lane_that_it_came_of() {
        let lanes = [Cause::Event(Lane::Live), Cause::Event(Lane::Bulk), Cause::Rules].map(Cause::lane);
        assert_eq!(lanes, [Lane::Live, Lane::Bulk, Lane::Bulk]);
    }
}
