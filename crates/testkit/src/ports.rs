//! Ports for what a test starts and may stop and start again at the same place.
//!
//! They lie below those that the system gives to outgoing connections, which would take one while its server is down.
//! Each test process has blocks of its own: it holds a block's guard, a port on which it only listens.

use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

/// The guards' ports, one for each block.
const GUARDS: u16 = 19_000;
/// The blocks' ports, up to 29,999.
const FIRST: u16 = 20_000;
const BLOCKS: u16 = 500;
const BLOCK: u16 = 20;

/// A port that nobody else has.
///
/// # Panics
/// When the machine has none left: the test cannot go on.
pub(crate) fn free() -> u16 {
    static OWN: Mutex<Own> = Mutex::new(Own { guards: Vec::new(), left: 0..0 });
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = own.next();
        if is_free(port) {
            return port;
        }
    }
}

/// What this process has.
struct Own {
    /// Held as long as the process lives.
    guards: Vec<TcpListener>,
    left: std::ops::Range<u16>,
}

impl Own {
    fn next(&mut self) -> u16 {
        loop {
            if let Some(port) = self.left.next() {
                return port;
            }
            let (block, guard) = (0..BLOCKS)
                .find_map(|block| Some((block, TcpListener::bind(("127.0.0.1", GUARDS + block)).ok()?)))
                .expect("the machine has a free block of ports");
            self.guards.push(guard);
            let first = FIRST + block * BLOCK;
            self.left = first..first + BLOCK;
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_owners_get_the_same_port() {
        let mut owners = [const { Own { guards: Vec::new(), left: 0..0 } }; 2];
        let ports: Vec<_> = (0..3 * BLOCK).flat_map(|_| owners.each_mut().map(Own::next)).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
        assert!(ports.iter().all(|port| (FIRST..FIRST + BLOCKS * BLOCK).contains(port)));
    }

    #[test]
    fn a_port_that_something_else_listens_on_is_passed_over() {
        let port = free();
        assert!(is_free(port));
        let _taken = TcpListener::bind(("127.0.0.1", port)).expect("it is free");
        assert!(!is_free(port));
    }
}
