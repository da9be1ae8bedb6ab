//! What is wrong with an input: one [`Fault`] for each place, all of them together.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong, where it stands and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the parsed document; empty for the document itself.
    pub pointer: String,
    /// What is wrong and what is allowed, as a sentence without a full stop.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(out, "{pointer}: {}", self.reason)
    }
}

/// What could be read of an input, beside all that could not.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    /// Every valid field of the input.
    pub value: T,
    /// Every fault of the input; empty when it may be accepted.
    pub faults: Vec<Fault>,
}
