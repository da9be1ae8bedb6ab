//! What anybody can make happen as often as they like: the first of a kind in each minute counts as itself, what repeats it
//! as a number, so that a flood leaves few lines behind.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};

/// How long the first stands for those after it.
const SPAN: TimeDelta = TimeDelta::minutes(1);
/// Kinds that are told apart in one span; all others are one more.
const KINDS: usize = 64;

/// What happened in the present span.
#[derive(Debug)]
pub(crate) struct Repeated<K, V> {
    span_ends: DateTime<Utc>,
    seen: HashMap<Option<K>, Seen<V>>,
    over: Vec<Seen<V>>,
}

/// The first of a kind in a span, and how many came after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen<V> {
    pub(crate) first: V,
    pub(crate) more: u32,
}

impl<K, V> Default for Repeated<K, V> {
    fn default() -> Self {
        Self { span_ends: DateTime::UNIX_EPOCH, seen: HashMap::new(), over: Vec::new() }
    }
}

impl<K: Eq + Hash, V> Repeated<K, V> {
    /// Notes one more of `kind`; true for the first.
    pub(crate) fn note(&mut self, kind: K, what: V, now: DateTime<Utc>) -> bool {
        self.turn(now);
        let kind = Some(kind);
        let kind = if self.seen.len() < KINDS || self.seen.contains_key(&kind) { kind } else { None };
        if let Some(seen) = self.seen.get_mut(&kind) {
            seen.more = seen.more.saturating_add(1);
            return false;
        }
        self.seen.insert(kind, Seen { first: what, more: 0 });
        true
    }

    /// Those of past spans that were repeated, once.
    pub(crate) fn take_over(&mut self, now: DateTime<Utc>) -> Vec<Seen<V>> {
        self.turn(now);
        std::mem::take(&mut self.over)
    }

    /// Likewise, and those of the present span.
    pub(crate) fn take_all(&mut self) -> Vec<Seen<V>> {
        self.end_span();
        std::mem::take(&mut self.over)
    }

    fn turn(&mut self, now: DateTime<Utc>) {
        // A span that ends later than one can was begun before the clock was set back.
        if now >= self.span_ends || self.span_ends - now > SPAN {
            self.end_span();
            self.span_ends = now + SPAN;
        }
    }

    fn end_span(&mut self) {
        self.over.extend(self.seen.drain().map(|(_, seen)| seen).filter(|seen| seen.more > 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(1) + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_first_of_each_minute_counts_as_itself_and_the_rest_as_a_number() {
        let mut repeated = Repeated::default();
        assert!(repeated.note("a", "first", at(0)));
        assert!(!repeated.note("a", "second", at(1)));
        assert!(repeated.note("b", "other", at(2)));
        assert_eq!(repeated.take_over(at(59)), []);
        assert!(repeated.note("a", "third", at(60)));
        assert_eq!(repeated.take_over(at(60)), [Seen { first: "first", more: 1 }]);
        assert_eq!(repeated.take_over(at(120)), [], "what was not repeated is told already");
    }

    #[test]
    fn however_many_kinds_come_few_are_told() {
        let mut repeated = Repeated::default();
        let told = (0..1_500).filter(|kind| repeated.note(*kind, (), at(0))).count();
        assert_eq!(told, KINDS + 1);
        assert_eq!(repeated.take_all(), [Seen { first: (), more: 1_500 - 65 }]);
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing() {
        let mut repeated = Repeated::default();
        assert!(repeated.note("a", (), at(0)) && !repeated.note("a", (), at(0)));
        assert!(repeated.note("a", (), at(-3_600)));
    }
}
