//! The commands, one file each.

pub(crate) mod evaluate;
pub(crate) mod import;
pub(crate) mod protocol;
pub(crate) mod sample;
pub(crate) mod token;
pub(crate) mod up;
