//! Between the wire and the domain: what comes in is parsed once, what goes out is told once.

mod incoming;
mod outgoing;

pub(crate) use incoming::{letter, red_flags, refusal, told, trouble};
pub(crate) use outgoing::{page_delivered, page_failed, publish};
