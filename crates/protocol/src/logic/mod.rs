//! Three-valued logic and exact numbers: what is not known is a value of its own.

mod ratio;
mod truth;

pub(crate) use ratio::Ratio;
pub(crate) use truth::Truth;
