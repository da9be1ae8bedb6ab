//! The clinical core: records, facts, rules, findings and the next visit, without I/O or a clock.
//!
//! A record that went through the parser is trusted from then on; the same record and the same
//! protocol give a byte-identical assessment, and nothing here panics on any input.

pub mod assessment;
pub mod backtest;
pub mod cases;
pub mod diff;
mod evaluate;
mod facts;
pub mod feared;
pub mod guide;
pub mod json;
mod logic;
mod protocol;
pub mod record;
pub mod report;
mod rules;
pub mod stream;
mod suggest;
mod word;

pub use assessment::Assessment;
pub use evaluate::{EvaluateError, Probe, evaluate};
pub use protocol::{LoadFault, Protocol};
