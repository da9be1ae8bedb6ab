//! Muscle strength, by movement.

use serde_json::json;

use crate::logic::Ratio;
use crate::record::{MotorSite, Movement, Side};
use crate::word::Word;

use super::catalogue::{Fact, Family, Origin, Unit, asked, counted, judged};
use super::earlier::{Seen, Site};
use super::{Trail, View};

const FAMILY: Family = Family::Examination;
const GRADE: (Family, Unit) = (FAMILY, Unit::Grade);

pub(super) const VISIT: &[Fact<()>] = &[
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

fn movements() -> impl Iterator<Item = MotorSite> {
    Side::ALL.iter().copied().flat_map(|side| {
        let all = Movement::ALL.iter();
        all.map(move |&movement| MotorSite { side, movement })
    })
}

fn required() -> impl Iterator<Item = MotorSite> {
    movements().filter(|site| Movement::REQUIRED.contains(&site.movement))
}

fn strength(view: &View, at: MotorSite) -> Option<u8> {
    view.report().motor.grade(at.side, at.movement)
}

fn before(view: &View, at: MotorSite) -> Option<Site> {
    view.earlier.motor(at.side, at.movement)
}

fn number(grade: Option<u8>) -> Option<Ratio> {
    Some(Ratio::whole(grade?.into()))
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
