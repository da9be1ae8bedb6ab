//! The single values that cross services: names, notes and times.
//!
//! Every edge reads them with the same types, so what one service accepts no other refuses, and neither do the
//! databases: whatever leaves a reader here is kept alike by SQLite and PostgreSQL.

mod legible;
pub mod limits;
mod person;
mod text;
mod time;

pub use legible::legible;
pub use person::{Person, may_be_one};
pub use text::{Name, Note, Printout, Unfit};
pub use time::{DAYS, INSTANTS, day, instant};
