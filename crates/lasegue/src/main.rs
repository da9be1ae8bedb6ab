//! The `lasegue` command.
fn main() {}
