//! Intake through its real router, on a real database.

mod adjudications;
mod episodes;
mod harness;
mod idempotency;
mod imports;
mod refusals;
mod submissions;
