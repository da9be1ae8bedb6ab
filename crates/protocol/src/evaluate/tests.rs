//! The walk against a second, deliberately naive one, on random histories.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, FixedOffset};
use proptest::prelude::*;

use super::seen::{Known, Seen};
use super::status::{Badness, Event, Examination, Look, walk};
use crate::assessment::{Severity, Status};

type Ground = u8;

/// One thing that happens, in plain values.
#[derive(Clone, Debug)]
enum Step {
    Visit {
        met: Option<(bool, BTreeMap<Ground, i64>)>,
        late_by: i64,
        answered: bool,
        examined: BTreeSet<Ground>,
        entered: i64,
    },
    Signature {
        seen: Option<i64>,
    },
}

impl Examination<Ground> for BTreeSet<Ground> {
    fn covers(&self, ground: &Ground) -> bool {
        self.contains(ground)
    }
}

fn day(number: i64) -> DateTime<FixedOffset> {
    DateTime::UNIX_EPOCH.fixed_offset() + Duration::days(number)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let measure = prop::collection::btree_map(0_u8..3, 1_i64..4, 0..3);
    let visit = (
        prop::option::weighted(0.6, (prop::bool::weighted(0.2), measure)),
        prop_oneof![3 => Just(0_i64), 1 => 0_i64..6],
        prop::bool::weighted(0.2),
        prop::collection::btree_set(0_u8..3, 0..4),
        0_i64..4,
    );
    let visit = visit.prop_map(|(met, late_by, answered, examined, entered)| Step::Visit {
        answered: answered && met.is_none(),
        met,
        late_by,
        examined,
        entered,
    });
    let signature = prop::option::of(0_i64..4).prop_map(|seen| Step::Signature { seen });
    prop::collection::vec(prop_oneof![3 => visit, 1 => signature], 1..9)
}

fn events(steps: &[Step]) -> Vec<Event<'_, Ground>> {
    let mut events = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let now = i64::try_from(index).expect("a short history");
        events.push(match step {
            Step::Signature { seen } => Event::Disposition(Seen { until: day(now), revision: *seen }),
            Step::Visit { met, late_by, answered, examined, entered } => Event::Visit(Look {
                visit: index,
                known: Known { at: day(now + late_by), revision: *entered },
                met: met.clone().map(|(emergency, measure)| badness(emergency, measure)),
                answered: *answered,
                examination: examined,
            }),
        });
    }
    events
}

fn badness(emergency: bool, measure: BTreeMap<Ground, i64>) -> Badness<Ground> {
    let severity = if emergency { Severity::Emergency } else { Severity::Urgent };
    Badness { severity, measure }
}

/// A rank and the grounds: more is worse.
type Bad = (u8, BTreeMap<Ground, i64>);

fn worse(now: &Bad, then: &Bad) -> bool {
    now.0 > then.0 || now.1.iter().any(|(g, v)| v > then.1.get(g).unwrap_or(&0))
}

fn worst(one: &Bad, other: &Bad) -> Bad {
    let mut all = one.1.clone();
    for (ground, value) in &other.1 {
        let most = all.get(ground).copied().unwrap_or(0).max(*value);
        all.insert(*ground, most);
    }
    (one.0.max(other.0), all)
}

/// Status and rank, told from the table line by line with everything kept in plain variables.
fn naive(steps: &[Step]) -> Option<(&'static str, u8)> {
    let mut state = "none";
    let mut memory: Bad = (0, BTreeMap::new());
    let mut meetings: Vec<((i64, i64), Bad)> = Vec::new();
    let mut word = "";
    let mut last: Option<Bad> = None;
    for (now, step) in (0_i64..).zip(steps) {
        match step {
            Step::Visit { met: Some((emergency, measure)), late_by, entered, .. } => {
                let bad: Bad = (1 + u8::from(*emergency), measure.clone());
                last = Some(bad.clone());
                let is_worse = worse(&bad, &memory);
                let known = ((now + late_by, *entered), bad.clone());
                if state == "none" {
                    (state, word, memory, meetings) = ("active", "new", bad, vec![known]);
                } else if state == "active" {
                    word = if is_worse { "worse" } else { "open" };
                    memory = worst(&memory, &bad);
                    meetings.push(known);
                } else if is_worse {
                    (state, word, meetings) = ("active", "worse", vec![known]);
                    memory = worst(&memory, &bad);
                }
            }
            Step::Visit { met: None, answered, examined, .. } => {
                last = None;
                if state == "active" && *answered {
                    state = "none";
                }
                if state == "disposed" && memory.1.keys().all(|g| examined.contains(g)) {
                    state = "none";
                }
            }
            Step::Signature { seen } if state == "active" => {
                let covers = |(at, entered): (i64, i64)| at <= now && seen.is_none_or(|seen| entered <= seen);
                let (seen, unseen): (Vec<_>, Vec<_>) = meetings.iter().cloned().partition(|(known, _)| covers(*known));
                let Some((_, covered)) = seen.last().cloned() else { continue };
                memory = covered.clone();
                state = "disposed";
                let again: Vec<_> = unseen.into_iter().filter(|(_, bad)| worse(bad, &covered)).collect();
                for (_, bad) in &again {
                    (state, word) = ("active", "worse");
                    memory = worst(&memory, bad);
                }
                if let Some(first) = meetings.iter().position(|(known, bad)| !covers(*known) && worse(bad, &covered)) {
                    meetings.drain(..first);
                }
            }
            Step::Signature { .. } => {}
        }
    }
    match (state, last) {
        ("active", Some(_)) => Some((word, memory.0)),
        ("active", None) => Some(("open", memory.0)),
        ("disposed", Some(bad)) => Some(("persisting", bad.0)),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_walk_agrees_with_the_naive_one(steps in steps()) {
        let standing = walk(events(&steps));
        let told = standing.map(|standing| {
            let rank = if standing.worst.severity == Severity::Emergency { 2 } else { 1 };
            (standing.status.as_str(), rank)
        });
        prop_assert_eq!(told, naive(&steps));
    }

    #[test]
    fn without_a_signature_nothing_that_was_met_is_lost(steps in steps()) {
        let unsigned: Vec<_> = steps
            .into_iter()
            .filter(|step| matches!(step, Step::Visit { answered: false, .. }))
            .collect();
        let mut met = unsigned.iter();
        let met = met.any(|step| matches!(step, Step::Visit { met: Some(_), .. }));
        prop_assert_eq!(walk(events(&unsigned)).is_some_and(|s| s.status.is_active()), met);
    }

    #[test]
    fn a_signature_that_saw_nothing_changes_nothing(steps in steps()) {
        let mut late: Vec<_> = steps
            .into_iter()
            .filter(|step| matches!(step, Step::Visit { .. }))
            .collect();
        for step in &mut late {
            if let Step::Visit { late_by, .. } = step {
                *late_by = 100;
            }
        }
        let before = walk(events(&late));
        late.push(Step::Signature { seen: None });
        prop_assert_eq!(walk(events(&late)), before.clone());
        for step in &mut late {
            if let Step::Visit { late_by, .. } = step {
                *late_by = 0;
            }
        }
        late.pop();
        late.push(Step::Signature { seen: Some(-1) });
        prop_assert_eq!(walk(events(&late)), before);
    }

    #[test]
    fn a_signature_that_saw_everything_leaves_nothing_active(mut steps in steps()) {
        for step in &mut steps {
            if let Step::Visit { late_by, .. } = step {
                *late_by = 0;
            }
        }
        steps.push(Step::Signature { seen: Some(3) });
        let standing = walk(events(&steps));
        prop_assert!(standing.is_none_or(|standing| standing.status == Status::Persisting));
    }
}
