//! How one synthetic patient fares from visit to visit.

use rand::Rng;
use rand::rngs::StdRng;

/// What becomes of the leg pain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trend {
    Settles,
    Lingers,
    Worsens,
}

/// The days of a clinic's visits after treatment start: first, early, six weeks, then every quarter.
const VISIT_DAYS: [i64; 5] = [0, 16, 43, 93, 184];

/// One patient's course, drawn once; every visit follows from it.
#[derive(Clone, Debug)]
pub(super) struct Course {
    trend: Trend,
    /// Leg pain at the first visit, in mm.
    first_pain: i64,
    visits: usize,
    pub(super) root: &'static str,
    pub(super) side: &'static str,
    sex: &'static str,
}

impl Course {
    pub(super) fn draw(random: &mut StdRng) -> Self {
        let trend = match random.random_range(0..100) {
            0..62 => Trend::Settles,
            62..92 => Trend::Lingers,
            _ => Trend::Worsens,
        };
        Self {
            trend,
            first_pain: random.random_range(45..85),
            visits: random.random_range(2..=VISIT_DAYS.len()),
            root: ["L4", "L5", "L5", "S1", "S1"][random.random_range(0..5)],
            side: ["left", "right"][random.random_range(0..2)],
            sex: ["male", "female"][random.random_range(0..2)],
        }
    }

    pub(super) fn sex(&self) -> &'static str {
        self.sex
    }

    pub(super) fn days(&self) -> impl Iterator<Item = i64> {
        VISIT_DAYS.into_iter().take(self.visits)
    }

    pub(super) fn days_followed(&self) -> i64 {
        self.days().last().unwrap_or_default()
    }

    /// Leg pain in mm on `day`, without the scatter of a single measurement.
    pub(super) fn leg_pain(&self, day: i64) -> i64 {
        match self.trend {
            Trend::Settles => self.first_pain * 30 / (30 + day),
            Trend::Lingers => self.first_pain - (day / 12).min(12),
            Trend::Worsens => (self.first_pain + day / 3).min(100),
        }
    }

    /// The score of each Oswestry section on `day`, 0 to 5.
    pub(super) fn disability(&self, day: i64) -> i64 {
        (self.leg_pain(day) / 22).clamp(0, 5)
    }
}
