//! Assessment on a real bus and a real database, told what intake and alerting tell it.

mod cases;
mod crowds;
mod http;
mod order;
mod records;
mod red_flags;
mod refused;
mod replicas;
mod rules;
mod seen;
mod ward;
mod wire;
