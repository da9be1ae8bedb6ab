//! Scheduling's tables as sea-orm sees them.

pub(crate) mod past_plans;
pub(crate) mod plans;
