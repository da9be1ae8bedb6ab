//! The rule language: conditions in a subset of CEL's syntax, lowered once to typed trees over
//! facts, and evaluated in three values.
//!
//! Names and types are settled when a protocol is loaded; evaluation cannot fail.

mod lower;
mod place;
mod state;
mod syntax;
mod tree;

pub(crate) use lower::{Lowered, Scope, Shape, Vocabulary, lower};
pub(crate) use place::{Domain, FactRef, Place};
pub(crate) use state::{Cell, State};
pub(crate) use tree::{Cond, Context, Definition, Meaning, Num, Reach};

/// What is wrong with an expression, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Byte offset into the expression.
    pub(crate) offset: usize,
    pub(crate) reason: String,
}

impl Mistake {
    pub(crate) fn at(offset: usize, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { offset, reason }
    }
}
