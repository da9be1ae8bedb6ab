//! The platform on real databases and a real bus.

mod conformance;
mod databases;
mod embedded;
mod http;
mod losses;
mod names;
mod nats;
mod permissions;
mod store;
mod support;
mod timers;
