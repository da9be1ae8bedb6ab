//! Who examined, and the straight leg raise.

use serde_json::json;

use crate::logic::Ratio;
use crate::record::{Author, Side};

use super::catalogue::{Fact, Family, Kind, Origin, Unit, counted, judged};

const FAMILY: Family = Family::Examination;

pub(super) const VISIT: &[Fact<()>] = &[judged(
    "clinician_visit",
    FAMILY,
    |view, ()| (view.submission.author != Author::Patient).into(),
    Origin::Several(|view, (), trail| {
        trail.note("author", json!(view.submission.author), Some(view.visit));
    }),
    "reported by a clinician or a record system, not by the patient",
)];

pub(super) const SIDE: &[Fact<Side>] = &[
    Fact {
        name: "raise_hurts_leg",
        meaning: "the straight leg raise of this side provokes the leg pain",
        family: FAMILY,
        kind: Kind::Answer(|view, side| view.report().straight_leg_raise.get(side).leg_pain),
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

fn number(grade: Option<u8>) -> Option<Ratio> {
    Some(Ratio::whole(grade?.into()))
}
