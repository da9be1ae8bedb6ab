//! Pain: how much, where, and what it feels like.

use serde_json::json;

use crate::logic::{Ratio, Truth};
use crate::record::{Dermatome, PainScore, Quality, Scale, Side};

use super::catalogue::{Fact, Family, Origin, Unit, counted, judged};
use super::earlier::millimetres;
use super::{Trail, View};

const FAMILY: Family = Family::Symptoms;
const LEG: &str = "pain.leg";
const DERMATOMES: &str = "pain.dermatomes";

pub(super) const VISIT: &[Fact<()>] = &[
    counted(
        "leg_pain",
        (FAMILY, Unit::Millimetres),
        |view, ()| leg(view).map(mm),
        Origin::Several(trace_leg),
        "leg pain in mm of a visual analogue scale; a point of the numeric scale is 10 mm",
    ),
    counted(
        "leg_pain_previous",
        (FAMILY, Unit::Millimetres),
        |view, ()| previous(view).map(mm),
        Origin::Several(trace_previous),
        "the last leg pain before this visit, in mm",
    ),
    counted(
        "leg_pain_baseline",
        (FAMILY, Unit::Millimetres),
        |view, ()| baseline(view).map(mm),
        Origin::Several(trace_baseline),
        "the first leg pain before this visit, in mm",
    ),
    counted(
        "leg_pain_rise_vas",
        (FAMILY, Unit::Millimetres),
        |view, ()| rise(view, Compared::Both(Scale::Vas)).map(Ratio::whole),
        Origin::Several(trace_rise),
        "rise of leg pain since the last value, both on the visual analogue scale",
    ),
    counted(
        "leg_pain_rise_nrs",
        (FAMILY, Unit::Points),
        |view, ()| rise(view, Compared::Both(Scale::Nrs)).map(|mm| Ratio::whole(mm / 10)),
        Origin::Several(trace_rise),
        "rise of leg pain since the last value, both on the numeric scale",
    ),
    counted(
        "leg_pain_rise_mixed",
        (FAMILY, Unit::Millimetres),
        |view, ()| rise(view, Compared::Mixed).map(Ratio::whole),
        Origin::Several(trace_rise),
        "rise of leg pain since the last value, on two different scales",
    ),
    counted(
        "leg_pain_improvement",
        (FAMILY, Unit::Percent),
        |view, ()| improvement(mm(baseline(view)?), mm(leg(view)?)),
        Origin::Several(|view, (), trail| {
            trace_leg(view, (), trail);
            trace_baseline(view, (), trail);
        }),
        "fall of leg pain in per cent of its first value; 0 when that was 0",
    ),
    counted(
        "back_pain",
        (FAMILY, Unit::Millimetres),
        |view, ()| view.report().pain.back.map(mm),
        Origin::Several(|view, (), trail| {
            trail.note("pain.back", scored(view.report().pain.back), Some(view.visit));
        }),
        "back pain in mm",
    ),
    counted(
        "painful_dermatomes",
        (FAMILY, Unit::Count),
        |view, ()| count(view, |_| true),
        Origin::Several(|view, (), trail| trace_dermatomes(view, trail)),
        "number of dermatomes with pain, of both sides",
    ),
    judged(
        "pain_on_both_sides_before",
        FAMILY,
        |view, ()| view.earlier.pain_on_both_sides.into(),
        Origin::Several(|_, (), _| ()),
        "an earlier visit had pain in dermatomes of both sides",
    ),
    judged(
        "burning_or_electric",
        FAMILY,
        |view, ()| burning_or_electric(view),
        Origin::Several(|view, (), trail| {
            trail.note("pain.quality", json!(view.report().pain.quality), Some(view.visit));
        }),
        "the pain is burning or electric",
    ),
    counted(
        "dn4_interview",
        (FAMILY, Unit::Points),
        |view, ()| Some(Ratio::whole(view.report().pain.dn4_interview?.into())),
        Origin::Visit("pain.dn4_interview"),
        "the interview part of DN4, of 7",
    ),
];

pub(super) const SIDE: &[Fact<Side>] = &[
    counted(
        "painful_dermatomes",
        (FAMILY, Unit::Count),
        |view, side| count(view, |other| other == side),
        Origin::Several(|view, _, trail| trace_dermatomes(view, trail)),
        "number of dermatomes with pain on this side",
    ),
    judged(
        "dermatomes_touch",
        FAMILY,
        touch,
        Origin::Several(|view, _, trail| trace_dermatomes(view, trail)),
        "the painful dermatomes of this side are neighbours without a gap",
    ),
];

fn mm(score: PainScore) -> Ratio {
    Ratio::whole(millimetres(score))
}

fn leg(view: &View) -> Option<PainScore> {
    view.report().pain.leg
}

fn previous(view: &View) -> Option<PainScore> {
    Some(view.earlier.leg_pain?.last.value)
}

fn baseline(view: &View) -> Option<PainScore> {
    Some(view.earlier.leg_pain?.first.value)
}

/// Which pairs of scales a rise is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Compared {
    Both(Scale),
    Mixed,
}

fn rise(view: &View, wanted: Compared) -> Option<i64> {
    let (now, then) = (leg(view)?, previous(view)?);
    let compared = if now.scale == then.scale { Compared::Both(now.scale) } else { Compared::Mixed };
    (compared == wanted).then(|| millimetres(now) - millimetres(then))
}

/// The fall from `baseline` to `current` in per cent of `baseline`; 0 for a baseline of 0.
pub(super) fn improvement(baseline: Ratio, current: Ratio) -> Option<Ratio> {
    if baseline == Ratio::whole(0) {
        return Some(baseline);
    }
    let fall = baseline.subtract(current)?.multiply(Ratio::whole(100))?;
    fall.divide(baseline)
}

fn dermatomes(view: &View, on: impl Fn(Side) -> bool) -> Option<Vec<Dermatome>> {
    let all = view.report().pain.dermatomes.as_ref()?;
    let here = all.iter().filter(|at| on(at.side));
    Some(here.map(|at| at.dermatome).collect())
}

fn count(view: &View, on: impl Fn(Side) -> bool) -> Option<Ratio> {
    let number = dermatomes(view, on)?.len();
    Some(Ratio::whole(i64::try_from(number).ok()?))
}

fn touch(view: &View, side: Side) -> Truth {
    let Some(places) = dermatomes(view, |other| other == side) else {
        return Truth::Unknown;
    };
    let neighbours = |pair: &[Dermatome]| pair[0] as usize + 1 == pair[1] as usize;
    places.windows(2).all(neighbours).into()
}

fn burning_or_electric(view: &View) -> Truth {
    let Some(quality) = &view.report().pain.quality else {
        return Truth::Unknown;
    };
    let telling = [Quality::Burning, Quality::Electric];
    telling.iter().any(|word| quality.contains(word)).into()
}

fn scored(score: Option<PainScore>) -> serde_json::Value {
    json!(score)
}

fn trace_leg(view: &View, (): (), trail: &mut Trail) {
    trail.note(LEG, scored(leg(view)), Some(view.visit));
}

fn trace_previous(view: &View, (): (), trail: &mut Trail) {
    if let Some(course) = view.earlier.leg_pain {
        trail.note(LEG, scored(Some(course.last.value)), Some(course.last.visit));
    }
}

fn trace_baseline(view: &View, (): (), trail: &mut Trail) {
    if let Some(course) = view.earlier.leg_pain {
        trail.note(LEG, scored(Some(course.first.value)), Some(course.first.visit));
    }
}

fn trace_rise(view: &View, (): (), trail: &mut Trail) {
    trace_leg(view, (), trail);
    trace_previous(view, (), trail);
}

fn trace_dermatomes(view: &View, trail: &mut Trail) {
    trail.note(DERMATOMES, json!(view.report().pain.dermatomes), Some(view.visit));
}
