//! The protocol crate from outside: golden cases, properties, loader, report.

mod fields;
mod generate;
mod golden;
mod loader;
mod properties;
mod report;
mod rules;
