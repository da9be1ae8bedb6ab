//! The cauda equina screen.

use serde_json::json;

use crate::logic::{Ratio, Truth};
use crate::record::{Answer, CaudaEquinaItem};

use super::catalogue::{Fact, Family, Origin, Unit, counted, judged};
use super::{Trail, View};

const FAMILY: Family = Family::Screening;

pub(super) const VISIT: &[Fact<()>] = &[
    judged(
        "sexual_dysfunction",
        FAMILY,
        |view, ()| view.cauda_equina(CaudaEquinaItem::SexualDysfunction),
        Origin::Several(|view, (), trail| {
            trace(view, CaudaEquinaItem::SexualDysfunction, trail);
        }),
        "sexual function is disturbed",
    ),
    judged(
        "new_bilateral_leg_pain",
        FAMILY,
        |view, ()| view.cauda_equina(CaudaEquinaItem::NewBilateralLegPain),
        Origin::Several(|view, (), trail| {
            trace(view, CaudaEquinaItem::NewBilateralLegPain, trail);
        }),
        "pain in both legs is new",
    ),
    counted(
        "post_void_residual",
        (FAMILY, Unit::Millilitres),
        |view, ()| {
            let millilitres = view.report().cauda_equina.post_void_residual_ml?;
            Some(Ratio::whole(millilitres.into()))
        },
        Origin::Visit("cauda_equina.post_void_residual_ml"),
        "urine left after voiding, in mL",
    ),
];

pub(super) const ITEM: &[Fact<CaudaEquinaItem>] = &[
    judged(
        "present",
        FAMILY,
        present,
        Origin::Several(trace),
        "the problem is there: the worse of two answers, and no when it is documented as old",
    ),
    judged(
        "core",
        FAMILY,
        |_, item| CaudaEquinaItem::CORE.contains(&item).into(),
        Origin::Several(|_, _, _| ()),
        "one of the eight items of which a single yes is an emergency",
    ),
    judged(
        "contested",
        FAMILY,
        |view, item| {
            let answer = view.report().cauda_equina.items.get(&item).copied();
            Truth::from(answer.is_some_and(Answer::conflicts))
        },
        Origin::Several(trace),
        "the patient says yes where the clinician says no",
    ),
];

fn present(view: &View, item: CaudaEquinaItem) -> Truth {
    view.cauda_equina(item)
}

fn trace(view: &View, item: CaudaEquinaItem, trail: &mut Trail) {
    let answer = view.report().cauda_equina.items.get(&item);
    trail.note(format!("cauda_equina.{item}"), json!(answer), Some(view.visit));
}
