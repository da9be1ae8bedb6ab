//! What the visits before this one showed, kept as running values: one step a visit, so that a
//! history is walked once.

use chrono::NaiveDate;

use crate::logic::Ratio;
use crate::record::{Dermatome, Movement, Odi, PainScore, Reflex, Report, Scale, Side};
use crate::word::Word;

use super::View;

/// A value and the visit it was seen at, as a number in the order of visits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<T> {
    pub(crate) value: T,
    pub(crate) visit: usize,
}

/// The first and the last valid value of a score.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course<T> {
    pub(crate) first: Seen<T>,
    pub(crate) last: Seen<T>,
}

/// The best and the last valid value of an examined site, and the worst ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) highest: Seen<u8>,
    pub(crate) lowest: Seen<u8>,
    pub(crate) last: Seen<u8>,
}

/// An Oswestry score with enough answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disability {
    sum: u8,
    answered: u8,
}

const SIDES: usize = Side::ALL.len();

/// Everything that a rule may compare the present visit with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Earlier {
    pub(crate) leg_pain: Option<Course<PainScore>>,
    /// The day of the last valid leg pain.
    pub(crate) leg_pain_day: Option<NaiveDate>,
    pub(crate) disability: Option<Course<Disability>>,
    motor: [[Option<Site>; Movement::ALL.len()]; SIDES],
    reflexes: [[Option<Site>; Reflex::ALL.len()]; SIDES],
    sensation: [[Option<Site>; Dermatome::ALL.len()]; SIDES],
    /// Whether any visit showed pain in dermatomes of both sides.
    pub(crate) pain_on_both_sides: bool,
}

impl Earlier {
    pub(crate) fn motor(&self, side: Side, movement: Movement) -> Option<Site> {
        self.motor[side as usize][movement as usize]
    }

    pub(crate) fn reflex(&self, side: Side, reflex: Reflex) -> Option<Site> {
        self.reflexes[side as usize][reflex as usize]
    }

    pub(crate) fn sensation(&self, side: Side, dermatome: Dermatome) -> Option<Site> {
        self.sensation[side as usize][dermatome as usize]
    }

    /// Takes a visit in, as the latest one.
    pub(crate) fn admit(&mut self, view: &View) {
        let (report, visit) = (view.report(), view.visit);
        if report.pain.leg.is_some() {
            self.leg_pain_day = Some(view.day);
        }
        follow(&mut self.leg_pain, report.pain.leg, visit);
        follow(&mut self.disability, view.disability(), visit);
        self.pain_on_both_sides |= pain_on_both_sides(report);
        for side in Side::ALL.iter().copied() {
            for movement in Movement::ALL.iter().copied() {
                let grade = report.motor.grade(side, movement);
                Site::follow(&mut self.motor[side as usize][movement as usize], grade, visit);
            }
            for reflex in Reflex::ALL.iter().copied() {
                let grade = report.reflexes.grade(side, reflex);
                Site::follow(&mut self.reflexes[side as usize][reflex as usize], grade, visit);
            }
            for dermatome in Dermatome::ALL.iter().copied() {
                let grade = report.sensation.grade(side, dermatome);
                Site::follow(&mut self.sensation[side as usize][dermatome as usize], grade, visit);
            }
        }
    }
}

impl Site {
    fn follow(site: &mut Option<Self>, grade: Option<u8>, visit: usize) {
        let Some(value) = grade else { return };
        let last = Seen { value, visit };
        let before = site.unwrap_or(Self { highest: last, lowest: last, last });
        let further = |best: Seen<u8>, better: bool| if better { last } else { best };
        *site = Some(Self {
            highest: further(before.highest, value > before.highest.value),
            lowest: further(before.lowest, value < before.lowest.value),
            last,
        });
    }
}

impl Disability {
    /// The score of a questionnaire with at least `least_answers` of its sections answered.
    pub(crate) fn of(odi: Option<&Odi>, least_answers: u8) -> Option<Self> {
        let answers = odi?.0.iter().flatten();
        let (sum, answered) = answers.fold((0, 0), |(sum, n), answer| (sum + answer, n + 1));
        (answered >= least_answers).then_some(Self { sum, answered })
    }

    /// The score in per cent of the greatest possible one, exactly.
    pub(crate) fn percent(self) -> Option<Ratio> {
        Ratio::new(100 * i64::from(self.sum), 5 * i64::from(self.answered))
    }
}

fn follow<T: Copy>(course: &mut Option<Course<T>>, value: Option<T>, visit: usize) {
    let Some(value) = value else { return };
    let last = Seen { value, visit };
    let first = course.map_or(last, |course| course.first);
    *course = Some(Course { first, last });
}

/// A pain score in mm: a point of the numeric scale is ten.
pub(crate) fn millimetres(score: PainScore) -> i64 {
    match score.scale {
        Scale::Vas => i64::from(score.value),
        Scale::Nrs => 10 * i64::from(score.value),
    }
}

/// Whether the pain is in dermatomes of both sides.
pub(crate) fn pain_on_both_sides(report: &Report) -> bool {
    let on = |side| move |at: &crate::record::SidedDermatome| at.side == side;
    report.pain.dermatomes.as_ref().is_some_and(|all| all.iter().any(on(Side::Left)) && all.iter().any(on(Side::Right)))
}
