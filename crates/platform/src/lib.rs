//! What every service stands on, so that a service holds nothing but its own subject.
//!
//! [`store`] keeps state and outgoing events in one commit, [`bus`] carries them, [`consume`] is the one layer of ack,
//! retry and dead-letter around handlers, [`lifecycle`] starts and drains the parts in order. Clock and randomness are
//! injected from here and read nowhere else.

pub mod auth;
mod base;
pub mod bus;
mod chain;
pub mod clock;
pub mod config;
pub mod consume;
pub mod http;
pub mod lifecycle;
pub mod random;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod wire;

pub use base::{Base, Databases};
pub use chain::chain;
