//! How many files the process may open, sockets among them, how large they may be, and who may read those that it makes.

use std::io;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit, umask};
use tokio::signal::unix::{SignalKind, signal};

/// As many as are of use.
const ENOUGH: u64 = 65_536;

/// Keeps every file and folder that the process makes from now on to its own account, databases and their logs too.
pub fn keep_to_owner() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Lets a write fail that would make a file larger than the system lets it be (`ulimit -f`), as one on a full disk does. The
/// process would be ended by a signal otherwise.
///
/// # Errors
/// When the system gives no signals.
pub fn outlast_largest_size() -> io::Result<()> {
    // Who listens once has taken the signal for good.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}

/// Raises the limit as far as the system lets it, [`ENOUGH`] at most, and gives what it is then.
pub fn raise_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
    if current.is_some_and(|current| current < wanted) {
        // When it is not allowed, the limit stays, and what is given back says so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    let now = getrlimit(Resource::Nofile).current.unwrap_or(ENOUGH);
    usize::try_from(now).unwrap_or(usize::MAX)
}
