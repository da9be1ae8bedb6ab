//! The platform on real databases and a real bus.

mod conformance;
mod embedded;
mod http;
mod nats;
mod store;
mod support;
mod timers;
