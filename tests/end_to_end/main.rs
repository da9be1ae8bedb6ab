//! End to end: the built binary from outside, over HTTP, with a pager at the other end.

mod faults;
mod golden;
mod main_job;

/// A clinic run by the binary that was built with these tests.
async fn clinic() -> lasegue_testkit::clinic::Clinic {
    lasegue_testkit::clinic::Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await
}
