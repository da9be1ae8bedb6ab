//! What a process that serves says on standard output. Nobody may be reading it, and the disk behind it may be full: it is
//! never a reason to end.

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
