//! End to end: the built binary from outside, over HTTP, with a pager at the other end.

mod faults;
mod harness;
mod main_job;
