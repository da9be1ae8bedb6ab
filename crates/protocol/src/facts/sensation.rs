//! Light touch, by dermatome.

use serde_json::json;

use crate::logic::Ratio;
use crate::record::{Dermatome, Side, SidedDermatome};
use crate::word::Word;

use super::catalogue::{Fact, Family, Origin, Unit, counted, judged};
use super::earlier::{Seen, Site};
use super::{Trail, View};

const FAMILY: Family = Family::Examination;
const GRADE: (Family, Unit) = (FAMILY, Unit::Grade);

pub(super) const VISIT: &[Fact<()>] = &[
    judged(
        "sensation_exam_complete",
        FAMILY,
        |view, ()| dermatomes().all(|site| felt(view, site).is_some()).into(),
        Origin::Several(|view, (), trail| trace_missing_sensation(view, trail)),
        "all seven dermatomes of both sides are graded",
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

fn dermatomes() -> impl Iterator<Item = SidedDermatome> {
    Side::ALL.iter().copied().flat_map(|side| {
        let all = Dermatome::ALL.iter();
        all.map(move |&dermatome| SidedDermatome { side, dermatome })
    })
}

fn felt(view: &View, at: SidedDermatome) -> Option<u8> {
    view.report().sensation.grade(at.side, at.dermatome)
}

fn touched(view: &View, at: SidedDermatome) -> Option<Site> {
    view.earlier.sensation(at.side, at.dermatome)
}

fn number(grade: Option<u8>) -> Option<Ratio> {
    Some(Ratio::whole(grade?.into()))
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
