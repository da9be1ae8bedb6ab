//! Intake behind its real router, on a real database, with the events it sends read from a real bus.

mod adjudications;
mod episodes;
mod harness;
mod imports;
mod refusals;
mod submissions;
