//! Signs of infection, cancer, fracture and bleeding.

use serde_json::json;

use crate::logic::Ratio;
use crate::record::{Trauma, Tri};

use super::View;
use super::catalogue::{Fact, Family, Origin, Unit, asked, counted};

const FAMILY: Family = Family::Screening;

macro_rules! screened {
    ($($field:ident: $meaning:literal),+ $(,)?) => {
        &[$(asked(
            stringify!($field),
            FAMILY,
            concat!("serious.", stringify!($field)),
            |view: &View, ()| view.report().serious.$field,
            $meaning,
        )),+]
    };
}

/// The ten questions of the screen; fever is the stated one.
pub(super) const SCREEN: &[Fact<()>] = screened! {
    cancer_history: "a cancer, now or before",
    fever: "the patient states a fever",
    iv_drug_use: "injected drugs",
    immunosuppressed: "a weakened immune system",
    recent_infection_or_procedure: "a recent infection or invasive procedure",
    weight_loss: "unexplained loss of weight",
    night_pain: "pain that wakes at night",
    anticoagulant: "anticoagulation",
    steroid: "long use of steroids",
    osteoporosis: "osteoporosis",
};

pub(super) const VISIT: &[Fact<()>] = &[
    counted(
        "temperature",
        (FAMILY, Unit::Celsius),
        |view, ()| {
            let micro = view.report().serious.temperature_c?.micro_celsius();
            Ratio::new(micro, 1_000_000)
        },
        Origin::Several(|view, (), trail| {
            let temperature = view.report().serious.temperature_c;
            trail.note("serious.temperature_c", json!(temperature), Some(view.visit));
        }),
        "measured body temperature",
    ),
    asked(
        "trauma_occurred",
        Family::Trauma,
        "trauma.occurred",
        |view, ()| view.report().trauma.occurred,
        "there was an injury",
    ),
    counted(
        "days_since_trauma",
        (Family::Trauma, Unit::Days),
        |view, ()| Some(view.days_since(of_injury(view, |trauma| trauma.date)?)),
        Origin::Several(|view, (), trail| {
            trail.note("trauma.date", json!(view.report().trauma.date), Some(view.visit));
        }),
        "days since the injury",
    ),
    asked(
        "high_energy",
        Family::Trauma,
        "trauma.high_energy",
        |view, ()| of_injury(view, |trauma| trauma.high_energy),
        "the injury had high energy",
    ),
    asked(
        "fracture_suspected",
        Family::Trauma,
        "trauma.fracture_suspected",
        |view, ()| of_injury(view, |trauma| trauma.fracture_suspected),
        "a fracture is suspected",
    ),
];

/// A field of the injury, which counts only when one occurred.
fn of_injury<T>(view: &View, field: impl Fn(&Trauma) -> Option<T>) -> Option<T> {
    let trauma = &view.report().trauma;
    (trauma.occurred == Some(Tri::Yes)).then(|| field(trauma))?
}
