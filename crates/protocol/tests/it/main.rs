//! The protocol crate from outside: golden cases, properties, loader, report.

mod golden;
