//! End to end: the built binary from outside, over HTTP, with a pager at the other end.

mod apart;
mod faults;
mod golden;
mod ledger;
mod main_job;
mod protocol;
mod refusals;
mod shapes;
mod unrest;

/// A clinic run by the binary that was built with these tests.
async fn clinic() -> lasegue_testkit::installation::Clinic {
    lasegue_testkit::installation::Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await
}
