//! What is wrong with a set-up: where, what, and what to write instead.

use std::fmt;

/// One thing wrong with the set-up: where, what, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place, such as `policy "default", step 2`.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Everything wrong with the set-up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the on-call set-up cannot be used")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {}: {}", fault.place, fault.message))
    }
}
