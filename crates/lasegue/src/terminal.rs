//! What is said on standard output. For a process that serves nobody may be reading it, and the disk behind it may be full:
//! it is never a reason to end. A command that is asked for something ends once nobody reads on, as with `| head`.

use std::fmt::Arguments;
use std::io::{self, Write};

/// Prints a line, if it can be printed.
pub(crate) fn line(text: Arguments<'_>) {
    let mut out = io::stdout().lock();
    // The same is in the log, where it matters.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// `println!` that nothing can stop.
macro_rules! say {
    ($($text:tt)*) => { $crate::terminal::line(format_args!($($text)*)) };
}

pub(crate) use say;

/// `println!` for what a command is asked for: an error, and no panic, when it cannot be written.
macro_rules! tell {
    ($($text:tt)*) => { $crate::terminal::answer(format_args!($($text)*)) };
}

pub(crate) use tell;

/// Prints a line of what a command is asked for.
pub(crate) fn answer(text: Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Whether a command failed for no other reason than that nobody reads on.
pub(crate) fn nobody_reads_on(error: &anyhow::Error) -> bool {
    let written = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let as_json = error.downcast_ref().and_then(serde_json::Error::io_error_kind);
    written.or(as_json) == Some(io::ErrorKind::BrokenPipe)
}
