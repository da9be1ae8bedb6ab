//! The wire, frozen: the bytes of every event, and the headers around them.

mod envelope;
mod examples;
mod largest;
mod wire;
