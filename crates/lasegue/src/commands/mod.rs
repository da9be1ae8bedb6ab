//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod caller;
pub(crate) mod dead_letters;
pub(crate) mod doctor;
pub(crate) mod evaluate;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod protocol;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod secrets;
pub(crate) mod token;
pub(crate) mod up;
