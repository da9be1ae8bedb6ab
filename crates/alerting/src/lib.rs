//! Pages the on-call clinician about a red flag until a named person accepts.

pub mod alert;
pub mod case;
pub mod chain;
pub mod config;
pub mod escalation;
pub mod finding;
pub mod hours;
pub mod ids;
mod local;
pub mod on_call;
pub mod plan;
pub mod reason;
pub mod rota;
pub mod severity;
pub mod state;
pub mod tone;
