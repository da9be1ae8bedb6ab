//! Tendon reflexes.

use serde_json::json;

use crate::logic::Ratio;
use crate::record::{Reflex, Side};
use crate::word::Word;

use super::catalogue::{Fact, Family, Origin, Unit, counted, judged};
use super::earlier::{Seen, Site};
use super::{ReflexSite, Trail, View};

const FAMILY: Family = Family::Examination;
const GRADE: (Family, Unit) = (FAMILY, Unit::Grade);

/// The reflex grade of a healthy adult.
const NORMAL_REFLEX: u8 = 2;

pub(super) const VISIT: &[Fact<()>] = &[judged(
    "reflex_exam_complete",
    FAMILY,
    |view, ()| reflexes().all(|site| tapped(view, site).is_some()).into(),
    Origin::Several(|view, (), trail| trace_missing_reflexes(view, trail)),
    "knee and ankle reflex of both sides are graded",
)];

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

fn reflexes() -> impl Iterator<Item = ReflexSite> {
    Side::ALL.iter().copied().flat_map(|side| {
        let all = Reflex::ALL.iter();
        all.map(move |&reflex| ReflexSite { side, reflex })
    })
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

fn number(grade: Option<u8>) -> Option<Ratio> {
    Some(Ratio::whole(grade?.into()))
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
