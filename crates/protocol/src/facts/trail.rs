//! The trail of evidence: which field of which visit held which value.

use std::borrow::Cow;

use serde_json::Value;

/// One value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    /// Where it stands, as `motor.great_toe_extension.right`.
    pub(crate) path: Cow<'static, str>,
    pub(crate) value: Value,
    /// The visit by its number; none for patient and episode.
    pub(crate) visit: Option<usize>,
}

/// Sources in the order in which they were first used.
#[derive(Debug, Default)]
pub(crate) struct Trail(Vec<Source>);

impl Trail {
    /// Notes a value, unless that field of that visit is noted already.
    pub(crate) fn note(&mut self, path: impl Into<Cow<'static, str>>, value: impl Into<Value>, visit: Option<usize>) {
        let path = path.into();
        let known = |source: &Source| source.path == path && source.visit == visit;
        if !self.0.iter().any(known) {
            let value = value.into();
            self.0.push(Source { path, value, visit });
        }
    }

    pub(crate) fn into_sources(self) -> Vec<Source> {
        self.0
    }
}
