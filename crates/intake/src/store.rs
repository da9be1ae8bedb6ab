//! Intake's tables as sea-orm sees them.

pub(crate) mod adjudications;
pub(crate) mod episodes;
pub(crate) mod refusals;
pub(crate) mod requests;
pub(crate) mod submissions;
