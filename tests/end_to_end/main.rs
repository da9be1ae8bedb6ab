//! End to end: the built binary from outside, over HTTP, with a pager at the other end.

mod apart;
mod audit;
mod backup;
mod bare;
mod confined;
mod corpus;
mod data_folder;
mod dead_letters;
mod disk;
mod earlier;
mod faults;
mod forged;
mod golden;
mod hurried;
mod ledger;
mod main_job;
mod matrix;
mod protocol;
mod read_only;
mod readiness;
mod refusals;
mod restore;
mod settings;
mod shapes;
mod signed;
mod stalled;
mod tokens;
mod two_ways;
mod unrest;

/// A clinic run by the binary that was built with these tests.
async fn clinic() -> lasegue_testkit::installation::Clinic {
    lasegue_testkit::installation::Clinic::open(env!("CARGO_BIN_EXE_lasegue")).await
}
