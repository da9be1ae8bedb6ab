//! Corrections: a submission that was replaced or voided cannot silently take its emergency away.

use crate::assessment::Severity;
use crate::protocol::Protocol;

use super::firing::Firing;
use super::history::{History, Visit};
use super::standing::{Key, Signatures};

/// The emergencies of submissions that no longer count and that nobody has signed since, each as
/// the first submission met it.
pub(super) fn pending<'h, 'r>(
    protocol: &Protocol,
    history: &'h History<'r>,
    signatures: &Signatures,
) -> Vec<(Key, &'h Visit<'r>, &'h Firing)> {
    let mut pending: Vec<(Key, &Visit, &Firing)> = Vec::new();
    for visit in &history.left_out {
        let received = visit.view.submission.known_at();
        for firing in &visit.firings {
            let key = (firing.finding, firing.side);
            let signed = || signatures.times(protocol, key).any(|at| at >= received);
            let known = pending.iter().any(|(known, ..)| *known == key);
            if firing.severity == Severity::Emergency && !known && !signed() {
                pending.push((key, visit, firing));
            }
        }
    }
    pending
}
