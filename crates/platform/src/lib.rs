//! What every service stands on, so that a service holds nothing but its own subject.
//!
//! [`store`] keeps state and outgoing events in one commit, [`bus`] carries them, [`direct`] is the way around it, [`signed`]
//! proves who sent them, [`consume`] is the one layer of ack, retry and dead-letter around handlers, [`background`] computes
//! what gives way, [`audit`] keeps who did what, [`lifecycle`] starts and drains the parts in order. Clock and randomness are injected from here and read
//! nowhere else.

pub mod audit;
pub mod auth;
pub mod background;
mod base;
pub mod bus;
mod chain;
pub mod clock;
pub mod config;
pub mod consume;
pub mod detached;
pub mod direct;
pub mod files;
pub mod http;
pub mod keys;
pub mod lifecycle;
pub mod random;
mod repeated;
pub mod signed;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod wire;

pub use base::{Base, Databases, Opened};
pub use chain::chain;
