//! Function: disability, work, and what walking does.

use serde_json::json;

use crate::record::WorkStatus;

use super::catalogue::{Fact, Family, Origin, Unit, asked, counted, judged, shown};
use super::earlier::{Disability, Seen};
use super::pain::improvement;
use super::{Trail, View};

const FAMILY: Family = Family::Symptoms;
const ODI: &str = "odi";

pub(super) const VISIT: &[Fact<()>] = &[
    counted(
        "disability",
        (FAMILY, Unit::Percent),
        |view, ()| view.disability()?.percent(),
        Origin::Several(trace_now),
        "Oswestry Disability Index in per cent, when enough sections are answered",
    ),
    counted(
        "disability_previous",
        (FAMILY, Unit::Percent),
        |view, ()| view.earlier.disability?.last.value.percent(),
        Origin::Several(trace_previous),
        "the last index before this visit",
    ),
    counted(
        "disability_rise",
        (FAMILY, Unit::Percent),
        |view, ()| {
            let previous = view.earlier.disability?.last.value.percent()?;
            view.disability()?.percent()?.subtract(previous)
        },
        Origin::Several(|view, (), trail| {
            trace_now(view, (), trail);
            trace_previous(view, (), trail);
        }),
        "rise of the index since its last value, in points of per cent",
    ),
    counted(
        "disability_improvement",
        (FAMILY, Unit::Percent),
        |view, ()| {
            let baseline = view.earlier.disability?.first.value.percent()?;
            improvement(baseline, view.disability()?.percent()?)
        },
        Origin::Several(|view, (), trail| {
            trace_now(view, (), trail);
            trace(view.earlier.disability.map(|course| course.first), trail);
        }),
        "fall of the index in per cent of its first value; 0 when that was 0",
    ),
    judged(
        "work_status_known",
        FAMILY,
        |view, ()| {
            let status = view.report().work.status;
            status.is_some_and(|status| status != WorkStatus::Unknown).into()
        },
        Origin::Several(|view, (), trail| {
            trail.note("work.status", json!(view.report().work.status), Some(view.visit));
        }),
        "it is known whether and how the patient works",
    ),
    asked(
        "worse_walking",
        FAMILY,
        "walking.worse_walking",
        |view, ()| view.report().walking.worse_walking,
        "walking makes it worse",
    ),
    asked(
        "worse_standing",
        FAMILY,
        "walking.worse_standing",
        |view, ()| view.report().walking.worse_standing,
        "standing makes it worse",
    ),
    asked(
        "relief_sitting",
        FAMILY,
        "walking.relief_sitting",
        |view, ()| view.report().walking.relief_sitting,
        "sitting relieves it",
    ),
    asked(
        "relief_flexion",
        FAMILY,
        "walking.relief_flexion",
        |view, ()| view.report().walking.relief_flexion,
        "bending forward relieves it",
    ),
];

fn trace_now(view: &View, (): (), trail: &mut Trail) {
    trail.note(ODI, json!(view.report().odi), Some(view.visit));
}

fn trace_previous(view: &View, (): (), trail: &mut Trail) {
    trace(view.earlier.disability.map(|course| course.last), trail);
}

fn trace(seen: Option<Seen<Disability>>, trail: &mut Trail) {
    if let Some((seen, percent)) = seen.and_then(|seen| Some((seen, seen.value.percent()?))) {
        trail.note(ODI, shown(percent), Some(seen.visit));
    }
}
