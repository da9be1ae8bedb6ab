//! Protobuf to the domain and back.

mod blocks;
mod incoming;
mod outgoing;
mod report;

pub(crate) use self::incoming::changes;
pub(crate) use self::outgoing::Told;
