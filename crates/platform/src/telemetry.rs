//! What a process tells of its own running: logs, metrics, and the trace that a request carries through every event.

mod trace;

pub use self::trace::TraceContext;
