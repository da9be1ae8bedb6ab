//! The test harness: a clock that a test moves, seeded randomness, and stand-ins for the world outside.
//!
//! Only the outside world and time are ever faked; routers, databases and buses in tests are the real ones.

pub mod caller;
pub mod clock;
pub mod containers;
pub mod firewall;
pub mod installation;
pub mod keys;
pub mod pager;
mod ports;
pub mod random;
pub mod wait;
