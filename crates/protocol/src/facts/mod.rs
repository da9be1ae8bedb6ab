//! Facts: what a clinician would read off the record, named for the protocol file.
//!
//! A fact is a row of a table: its name, its meaning, how it is computed at a visit and which
//! fields it was read from. Facts normalise and count; they decide nothing.

mod catalogue;
mod cauda_equina;
mod course;
mod earlier;
mod function;
mod leg_raise;
mod pain;
mod reflexes;
mod sensation;
mod serious;
mod strength;
mod trail;
mod view;

pub(crate) use catalogue::{DERMATOME, Fact, Family, ITEM, Kind, MOVEMENT, REFLEX, SIDE, Unit, VISIT, find};
pub(crate) use earlier::{Disability, Earlier, millimetres};
pub(crate) use trail::Trail;
pub(crate) use view::{Longstanding, Outcome, ReflexSite, View};

/// The disability index of a report in per cent, when enough sections are answered.
pub(crate) fn disability(report: &crate::record::Report, least_answers: u8) -> Option<crate::logic::Ratio> {
    Disability::of(report.odi.as_ref(), least_answers)?.percent()
}

/// Every fact as the protocol file names it, with its meaning.
pub(crate) fn glossary() -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    let mut add = |prefix: &str, name: &str, meaning| all.push((format!("{prefix}{name}"), meaning));
    each(VISIT, |name, meaning| add("", name, meaning));
    each(SIDE, |name, meaning| add("side.", name, meaning));
    each(MOVEMENT, |name, meaning| add("movement.", name, meaning));
    each(REFLEX, |name, meaning| add("reflex.", name, meaning));
    each(DERMATOME, |name, meaning| add("dermatome.", name, meaning));
    each(ITEM, |name, meaning| add("item.", name, meaning));
    all
}

fn each<P>(tables: &'static [&'static [Fact<P>]], mut add: impl FnMut(&str, &'static str)) {
    for fact in tables.iter().copied().flatten() {
        add(fact.name, fact.meaning);
    }
}
