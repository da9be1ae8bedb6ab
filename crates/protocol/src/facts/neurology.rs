//! The neurological examination: strength, reflexes, sensation, straight leg raise.

use serde_json::json;

use crate::logic::Ratio;
use crate::record::{Author, Dermatome, MotorSite, Movement, Reflex, Side, SidedDermatome};
use crate::word::Word;

use super::catalogue::{Fact, Family, Origin, Unit, asked, counted, judged};
use super::earlier::{Seen, Site};
use super::{ReflexSite, Trail, View};

const FAMILY: Family = Family::Examination;
const GRADE: (Family, Unit) = (FAMILY, Unit::Grade);

/// The reflex grade of a healthy adult.
const NORMAL_REFLEX: u8 = 2;

pub(super) const VISIT: &[Fact<()>] = &[
    judged(
        "clinician_visit",
        FAMILY,
        |view, ()| (view.submission.author != Author::Patient).into(),
        Origin::Several(|view, (), trail| {
            trail.note("author", json!(view.submission.author), Some(view.visit));
        }),
        "reported by a clinician or a record system, not by the patient",
    ),
    asked(
        "new_weakness",
        FAMILY,
        "new_weakness",
        |view, ()| view.report().new_weakness,
        "the patient noticed new weakness",
    ),
    judged(
        "motor_exam_complete",
        FAMILY,
        |view, ()| required().all(|site| strength(view, site).is_some()).into(),
        Origin::Several(|view, (), trail| trace_missing_strength(view, trail)),
        "all four movements of both sides are graded",
    ),
    judged(
        "reflex_exam_complete",
        FAMILY,
        |view, ()| reflexes().all(|site| tapped(view, site).is_some()).into(),
        Origin::Several(|view, (), trail| trace_missing_reflexes(view, trail)),
        "knee and ankle reflex of both sides are graded",
    ),
    judged(
        "sensation_exam_complete",
        FAMILY,
        |view, ()| dermatomes().all(|site| felt(view, site).is_some()).into(),
        Origin::Several(|view, (), trail| trace_missing_sensation(view, trail)),
        "all seven dermatomes of both sides are graded",
    ),
    counted(
        "lowest_earlier_strength",
        GRADE,
        |view, ()| {
            let earlier = movements().filter_map(|site| before(view, site));
            number(earlier.map(|site| site.lowest.value).min())
        },
        Origin::Several(trace_weakest),
        "the lowest strength of any movement at any earlier visit",
    ),
    counted(
        "lowest_known_strength",
        GRADE,
        |view, ()| lowest_known_strength(view),
        Origin::Several(|_, (), _| ()),
        "the lowest of the last known strengths, when all required movements have one",
    ),
    counted(
        "highest_known_sensory_grade",
        GRADE,
        |view, ()| {
            let last = dermatomes().map(|site| felt(view, site).or_else(|| Some(touched(view, site)?.last.value)));
            number(last.collect::<Option<Vec<_>>>()?.into_iter().max())
        },
        Origin::Several(|_, (), _| ()),
        "the worst of the last known sensory grades, when all dermatomes have one",
    ),
];

pub(super) const SIDE: &[Fact<Side>] = &[
    Fact {
        name: "raise_hurts_leg",
        meaning: "the straight leg raise of this side provokes the leg pain",
        family: FAMILY,
        kind: super::Kind::Answer(|view, side| view.report().straight_leg_raise.get(side).leg_pain),
        origin: Origin::Several(|view, side, trail| {
            let answer = view.report().straight_leg_raise.get(side).leg_pain;
            let path = format!("straight_leg_raise.{side}.leg_pain");
            trail.note(path, json!(answer), Some(view.visit));
        }),
    },
    counted(
        "raise_angle",
        (FAMILY, Unit::Degrees),
        |view, side| number(view.report().straight_leg_raise.get(side).angle_deg),
        Origin::Several(|view, side, trail| {
            let angle = view.report().straight_leg_raise.get(side).angle_deg;
            let path = format!("straight_leg_raise.{side}.angle_deg");
            trail.note(path, json!(angle), Some(view.visit));
        }),
        "at this angle",
    ),
];

pub(super) const MOVEMENT: &[Fact<MotorSite>] = &[
    counted(
        "grade",
        GRADE,
        |view, site| number(strength(view, site)),
        Origin::Several(trace_strength),
        "MRC grade now, 0 to 5",
    ),
    counted(
        "previous",
        GRADE,
        |view, site| number(before(view, site).map(|earlier| earlier.last.value)),
        Origin::Several(|view, site, trail| {
            trace_earlier_strength(before(view, site).map(|s| s.last), site, trail);
        }),
        "the last grade before this visit",
    ),
    counted(
        "drop",
        GRADE,
        |view, site| {
            let best = before(view, site)?.highest.value;
            Some(Ratio::whole(i64::from(best) - i64::from(strength(view, site)?)))
        },
        Origin::Several(|view, site, trail| {
            trace_strength(view, site, trail);
            trace_earlier_strength(before(view, site).map(|s| s.highest), site, trail);
        }),
        "how far the grade is below the best earlier one",
    ),
    judged(
        "first",
        FAMILY,
        |view, site| before(view, site).is_none().into(),
        Origin::Several(|_, _, _| ()),
        "no earlier visit graded this movement",
    ),
    judged(
        "longstanding",
        FAMILY,
        |view, site| view.report().motor_longstanding.contains(&site).into(),
        Origin::Several(|view, _, trail| {
            let listed = json!(view.report().motor_longstanding);
            trail.note("motor_longstanding", listed, Some(view.visit));
        }),
        "this submission documents the deficit as old",
    ),
];

pub(super) const REFLEX: &[Fact<ReflexSite>] = &[
    counted(
        "grade",
        GRADE,
        |view, site| number(tapped(view, site)),
        Origin::Several(trace_reflex),
        "reflex grade now, 0 to 4",
    ),
    counted(
        "previous",
        GRADE,
        |view, site| number(jerk(view, site).map(|earlier| earlier.last.value)),
        Origin::Several(|view, site, trail| {
            trace_earlier_reflex(jerk(view, site).map(|s| s.last), site, trail);
        }),
        "the last grade before this visit",
    ),
    counted(
        "opposite",
        GRADE,
        |view, site| number(tapped(view, opposite(site))),
        Origin::Several(|view, site, trail| trace_reflex(view, opposite(site), trail)),
        "the grade of the other side now",
    ),
    counted(
        "loss",
        GRADE,
        |view, site| {
            let best = jerk(view, site)?.highest.value.min(NORMAL_REFLEX);
            Some(Ratio::whole(i64::from(best) - i64::from(tapped(view, site)?)))
        },
        Origin::Several(|view, site, trail| {
            trace_reflex(view, site, trail);
            trace_earlier_reflex(jerk(view, site).map(|s| s.highest), site, trail);
        }),
        "how far the grade is below the best earlier one, a brisk one counting as normal",
    ),
    counted(
        "distance",
        GRADE,
        |view, site| number(tapped(view, site).map(|grade| grade.abs_diff(NORMAL_REFLEX))),
        Origin::Several(trace_reflex),
        "how far the grade is from normal",
    ),
    counted(
        "previous_distance",
        GRADE,
        |view, site| number(jerk(view, site).map(|s| s.last.value.abs_diff(NORMAL_REFLEX))),
        Origin::Several(|view, site, trail| {
            trace_earlier_reflex(jerk(view, site).map(|s| s.last), site, trail);
        }),
        "how far the last grade before this visit was from normal",
    ),
];

pub(super) const DERMATOME: &[Fact<SidedDermatome>] = &[
    counted(
        "grade",
        GRADE,
        |view, site| number(felt(view, site)),
        Origin::Several(trace_sensation),
        "sensory grade now: 0 normal, 1 altered, 2 absent",
    ),
    counted(
        "previous",
        GRADE,
        |view, site| number(touched(view, site).map(|earlier| earlier.last.value)),
        Origin::Several(|view, site, trail| {
            trace_earlier_sensation(touched(view, site).map(|s| s.last), site, trail);
        }),
        "the last grade before this visit",
    ),
    counted(
        "worsening",
        GRADE,
        |view, site| {
            let best = touched(view, site)?.lowest.value;
            Some(Ratio::whole(i64::from(felt(view, site)?) - i64::from(best)))
        },
        Origin::Several(|view, site, trail| {
            trace_sensation(view, site, trail);
            trace_earlier_sensation(touched(view, site).map(|s| s.lowest), site, trail);
        }),
        "how far the grade is above the best earlier one",
    ),
];

fn number(grade: Option<u8>) -> Option<Ratio> {
    Some(Ratio::whole(grade?.into()))
}

fn sides() -> impl Iterator<Item = Side> {
    Side::ALL.iter().copied()
}

fn movements() -> impl Iterator<Item = MotorSite> {
    sides().flat_map(|side| {
        let all = Movement::ALL.iter();
        all.map(move |&movement| MotorSite { side, movement })
    })
}

fn required() -> impl Iterator<Item = MotorSite> {
    movements().filter(|site| Movement::REQUIRED.contains(&site.movement))
}

fn reflexes() -> impl Iterator<Item = ReflexSite> {
    sides().flat_map(|side| {
        let all = Reflex::ALL.iter();
        all.map(move |&reflex| ReflexSite { side, reflex })
    })
}

fn dermatomes() -> impl Iterator<Item = SidedDermatome> {
    sides().flat_map(|side| {
        let all = Dermatome::ALL.iter();
        all.map(move |&dermatome| SidedDermatome { side, dermatome })
    })
}

fn strength(view: &View, at: MotorSite) -> Option<u8> {
    view.report().motor.grade(at.side, at.movement)
}

fn before(view: &View, at: MotorSite) -> Option<Site> {
    view.earlier.motor(at.side, at.movement)
}

fn tapped(view: &View, at: ReflexSite) -> Option<u8> {
    view.report().reflexes.grade(at.side, at.reflex)
}

fn jerk(view: &View, at: ReflexSite) -> Option<Site> {
    view.earlier.reflex(at.side, at.reflex)
}

fn opposite(at: ReflexSite) -> ReflexSite {
    ReflexSite { side: at.side.other(), reflex: at.reflex }
}

fn felt(view: &View, at: SidedDermatome) -> Option<u8> {
    view.report().sensation.grade(at.side, at.dermatome)
}

fn touched(view: &View, at: SidedDermatome) -> Option<Site> {
    view.earlier.sensation(at.side, at.dermatome)
}

fn lowest_known_strength(view: &View) -> Option<Ratio> {
    let last = |site| strength(view, site).or_else(|| Some(before(view, site)?.last.value));
    if required().any(|site| last(site).is_none()) {
        return None;
    }
    number(movements().filter_map(last).min())
}

fn trace_strength(view: &View, at: MotorSite, trail: &mut Trail) {
    let path = format!("motor.{}.{}", at.movement, at.side);
    trail.note(path, json!(strength(view, at)), Some(view.visit));
}

fn trace_earlier_strength(seen: Option<Seen<u8>>, at: MotorSite, trail: &mut Trail) {
    if let Some(seen) = seen {
        let path = format!("motor.{}.{}", at.movement, at.side);
        trail.note(path, seen.value, Some(seen.visit));
    }
}

fn trace_weakest(view: &View, (): (), trail: &mut Trail) {
    let graded = movements().filter_map(|site| Some((site, before(view, site)?.lowest)));
    if let Some((site, lowest)) = graded.min_by_key(|(_, lowest)| lowest.value) {
        trace_earlier_strength(Some(lowest), site, trail);
    }
}

fn trace_missing_strength(view: &View, trail: &mut Trail) {
    for site in required().filter(|site| strength(view, *site).is_none()) {
        trace_strength(view, site, trail);
    }
}

fn trace_reflex(view: &View, at: ReflexSite, trail: &mut Trail) {
    let path = format!("reflexes.{}.{}", at.reflex, at.side);
    trail.note(path, json!(tapped(view, at)), Some(view.visit));
}

fn trace_earlier_reflex(seen: Option<Seen<u8>>, at: ReflexSite, trail: &mut Trail) {
    if let Some(seen) = seen {
        let path = format!("reflexes.{}.{}", at.reflex, at.side);
        trail.note(path, seen.value, Some(seen.visit));
    }
}

fn trace_missing_reflexes(view: &View, trail: &mut Trail) {
    for site in reflexes().filter(|site| tapped(view, *site).is_none()) {
        trace_reflex(view, site, trail);
    }
}

fn trace_sensation(view: &View, at: SidedDermatome, trail: &mut Trail) {
    let path = format!("sensation.{}.{}", at.side, at.dermatome);
    trail.note(path, json!(felt(view, at)), Some(view.visit));
}

fn trace_earlier_sensation(seen: Option<Seen<u8>>, at: SidedDermatome, trail: &mut Trail) {
    if let Some(seen) = seen {
        let path = format!("sensation.{}.{}", at.side, at.dermatome);
        trail.note(path, seen.value, Some(seen.visit));
    }
}

fn trace_missing_sensation(view: &View, trail: &mut Trail) {
    for site in dermatomes().filter(|site| felt(view, *site).is_none()) {
        trace_sensation(view, site, trail);
    }
}
