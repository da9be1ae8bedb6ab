//! Where log lines go: to standard error, as long as that takes them.
//!
//! A line that cannot be written, because the disk is full or nobody reads any more, is counted and left out. Writing it
//! never ends a request or the process.

use std::io::{self, Write};

/// Passes lines on to `W`, and never fails.
#[derive(Debug)]
pub(super) struct Lines<W>(pub(super) W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.write_all(line).is_err() {
            metrics::counter!("log_lines_lost_total").increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn a_line_that_nothing_takes_is_left_out() {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has a device that is always full");
        assert!((&full).write_all(b"lost").is_err());
        Lines(&full).write_all(b"lost").expect("whoever logs does not hear of it");
    }
}
