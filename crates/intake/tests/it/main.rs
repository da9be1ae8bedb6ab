//! Intake through its real router, on a real database.

mod adjudications;
mod audit;
mod costly;
mod effects;
mod episodes;
mod harness;
mod idempotency;
mod imports;
mod large;
mod races;
mod refusals;
mod room;
mod submissions;
mod texts;
