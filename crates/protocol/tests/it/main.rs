//! The protocol crate from outside: golden cases, properties, loader, report.

mod corrections;
mod evidence;
mod feared;
mod fields;
mod forms;
mod fuzz;
mod generate;
mod golden;
mod history;
mod loader;
mod mutation;
mod properties;
mod report;
mod rules;
mod signatures;
mod visits;
