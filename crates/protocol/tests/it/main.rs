//! The protocol crate from outside: golden cases, properties, loader, report.

mod fields;
mod generate;
mod golden;
mod properties;
