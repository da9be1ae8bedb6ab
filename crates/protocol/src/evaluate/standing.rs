//! Every emergency and urgent finding of a history with its status.

use std::collections::BTreeSet;

use crate::assessment::Severity;
use crate::protocol::Protocol;
use crate::record::{Decision, Record, Side};

use super::firing::GroundKey;
use super::history::{History, Visit};
use super::seen::{Known, Seen};
use super::status::{Badness, Event, Examination, Look, Standing, walk};

/// A finding on its side.
pub(super) type Key = (usize, Option<Side>);

/// A signature on a finding.
struct Signature<'r> {
    code: &'r str,
    side: Option<Side>,
    seen: Seen,
}

/// The signatures that an evaluation takes into account.
pub(super) struct Signatures<'r>(Vec<Signature<'r>>);

impl<'r> Signatures<'r> {
    /// The dispositions of a record, but for those of a later visit than the evaluated one.
    pub(super) fn of(record: &'r Record, history: &History) -> Self {
        let end = history.following.map(|following| following.assessed_at);
        let mut signatures: Vec<_> = record
            .adjudications
            .iter()
            .filter(|entry| end.is_none_or(|end| entry.covers_until() < end))
            .filter_map(|entry| match &entry.decision {
                Decision::Disposition { code, side } => Some(Signature { code, side: *side, seen: Seen::by(entry) }),
                Decision::Void { .. } | Decision::Longstanding { .. } => None,
            })
            .collect();
        signatures.sort_by_key(|signature| signature.seen.until);
        Self(signatures)
    }

    /// What those have seen who signed a finding, or one that stands for it, in the order of their signatures.
    pub(super) fn on(&self, protocol: &Protocol, (finding, side): Key) -> impl Iterator<Item = Seen> {
        let rule = &protocol.findings[finding];
        let greater = rule.greater.iter().map(|greater| &protocol.findings[*greater]);
        let codes: Vec<_> = greater.map(|greater| greater.code.as_str()).chain([rule.code.as_str()]).collect();
        let signs = move |signature: &&Signature| signature.side == side && codes.contains(&signature.code);
        self.0.iter().filter(signs).map(|signature| signature.seen)
    }
}

/// All findings that were ever met as an emergency or urgent, with where they stand now.
pub(super) fn standings(
    protocol: &Protocol,
    history: &History,
    signatures: &Signatures,
) -> Vec<(Key, Standing<GroundKey>)> {
    let standing = |key: Key| {
        let events = events(protocol, history, signatures, key);
        Some((key, walk(events)?))
    };
    keys(protocol, history).into_iter().filter_map(standing).collect()
}

impl Examination<GroundKey> for Visit<'_> {
    fn covers(&self, ground: &GroundKey) -> bool {
        match ground {
            GroundKey::Place(place) => place.is_examined(&self.view),
            GroundKey::Named(_) => true,
        }
    }
}

fn keys(protocol: &Protocol, history: &History) -> BTreeSet<Key> {
    let firings = history.visits.iter().flat_map(|visit| &visit.firings);
    let grave = firings.filter(|firing| firing.severity.is_grave());
    let mut keys: BTreeSet<Key> = grave.map(|firing| (firing.finding, firing.side)).collect();
    for (finding, rule) in protocol.findings.iter().enumerate() {
        for greater in &rule.greater {
            let sides = [Some(Side::Left), Some(Side::Right), None];
            let met = sides.into_iter().filter(|side| keys.contains(&(*greater, *side)));
            let lesser: Vec<_> = met.map(|side| (finding, side)).collect();
            keys.extend(lesser);
        }
    }
    keys
}

fn events<'h>(
    protocol: &Protocol,
    history: &'h History,
    signatures: &Signatures,
    key: Key,
) -> Vec<Event<'h, GroundKey>> {
    let mut events = Vec::with_capacity(history.visits.len());
    let mut signed = signatures.on(protocol, key).peekable();
    for visit in &history.visits {
        let assessed = visit.view.submission.assessed_at;
        while let Some(seen) = signed.next_if(|seen| seen.until < assessed) {
            events.push(Event::Disposition(seen));
        }
        events.push(Event::Visit(look(protocol, visit, key)));
    }
    events.extend(signed.map(Event::Disposition));
    events
}

fn look<'h>(protocol: &Protocol, visit: &'h Visit, (finding, side): Key) -> Look<'h, GroundKey> {
    let rule = &protocol.findings[finding];
    let fired = visit.firings.iter().any(|firing| firing.is(finding, side));
    let answered = rule.answered.is_none() || visit.answered.contains(&finding);
    Look {
        visit: visit.view.visit,
        known: Known::of(visit.view.submission),
        met: met(protocol, visit, (finding, side)),
        answered: rule.asks && !fired && answered,
        examination: visit,
    }
}

/// How a visit meets a finding: by itself, or by a greater one, then as urgent.
fn met(protocol: &Protocol, visit: &Visit, (finding, side): Key) -> Option<Badness<GroundKey>> {
    let of = |finding: usize| {
        let mut grave = visit.firings.iter().filter(|firing| firing.severity.is_grave());
        grave.find(|firing| firing.is(finding, side))
    };
    let own = of(finding).map(|firing| (firing.severity, firing));
    let greater = protocol.findings[finding].greater.iter();
    let greater = greater.filter_map(|greater| Some((Severity::Urgent, of(*greater)?)));
    let mut ways =
        own.into_iter().chain(greater).map(|(severity, firing)| Badness { severity, measure: firing.measure.clone() });
    let mut met = ways.next()?;
    ways.for_each(|way| met.join(&way));
    Some(met)
}
