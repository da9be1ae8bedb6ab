//! Corrections: neither a submission that was replaced or voided nor a symptom that was declared old later can silently
//! take an emergency away.

use crate::assessment::Severity;
use crate::protocol::Protocol;

use super::firing::Firing;
use super::history::{History, Visit};
use super::seen::Known;
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
        let known_since = Known::of(visit.view.submission);
        for firing in &visit.firings {
            let key = (firing.finding, firing.side);
            let signed = || signatures.on(protocol, key).any(|seen| seen.covers(known_since));
            let known = pending.iter().any(|(known, ..)| *known == key);
            if firing.severity == Severity::Emergency && !known && !signed() {
                pending.push((key, visit, firing));
            }
        }
    }
    pending
}
