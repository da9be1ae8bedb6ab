//! The escalation's place and its next step: a pure walk through a policy that has no end.
//! An empty step is skipped at once; from the second round on the catch-all is paged with every step.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{ContactName, RotaName};
use crate::on_call::{OnCall, Policy, Reached, Target};

/// How far an escalation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Steps taken so far, over all rounds.
    pub taken: u32,
    /// When the next is taken.
    pub due: DateTime<Utc>,
    /// Whether everybody of the catch-all was paged since it began or was handed over.
    #[serde(default)]
    pub all_paged: bool,
}

/// One step of an escalation, taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whom it pages. Empty only when nobody can be reached at all.
    pub contacts: BTreeSet<ContactName>,
    /// Rotas on which nobody was on call.
    pub gaps: BTreeSet<RotaName>,
    /// Where the escalation is afterwards.
    pub chain: Chain,
    /// Which step this was, from 1.
    pub step: u32,
    /// In which round, from 1.
    pub round: u32,
}

/// The shortest wait from the second round on, and when nobody could be reached: bounds how often anybody is paged.
pub const SHORTEST_REPEAT: TimeDelta = TimeDelta::minutes(1);

impl Chain {
    /// Before the first step, which is due now.
    pub const fn start(now: DateTime<Utc>) -> Self {
        Self { taken: 0, due: now, all_paged: false }
    }

    /// Asks one person alone until `due`: of the others nobody has been paged since.
    #[must_use]
    pub const fn handed_over(self, due: DateTime<Utc>) -> Self {
        Self { due, all_paged: false, ..self }
    }

    /// Whether the next step is one of the first round.
    pub fn is_first_round(self, policy: &Policy) -> bool {
        self.taken < length(policy)
    }

    /// Whether nobody is left to be paged at once: all steps were taken and the catch-all was paged, which every step of the
    /// second round does.
    pub fn is_exhausted(self, policy: &Policy) -> bool {
        !self.is_first_round(policy) && self.all_paged
    }

    /// Takes the next step that reaches anybody.
    pub fn step(self, policy: &Policy, on_call: &OnCall, now: DateTime<Utc>) -> Taken {
        let mut gaps = BTreeSet::new();
        let everybody = on_call.reach(on_call.catch_all(), now);
        for ahead in 0..length(policy) {
            let index = self.taken.saturating_add(ahead);
            let Some(step) = policy.steps.get((index % length(policy)) as usize) else {
                break;
            };
            let round = index / length(policy);
            let reached = reach(on_call, &step.targets, round, now);
            gaps.extend(reached.gaps);
            if !reached.contacts.is_empty() {
                let wait = if round == 0 { step.wait } else { step.wait.max(SHORTEST_REPEAT) };
                let all_paged = self.all_paged || round > 0 || everybody.contacts.is_subset(&reached.contacts);
                let chain = Self { taken: index.saturating_add(1), due: now + wait, all_paged };
                let (step, round) = place(policy, index);
                return Taken { contacts: reached.contacts, gaps, chain, step, round };
            }
        }
        gaps.extend(everybody.gaps);
        let last = self.taken.saturating_add(length(policy) - 1);
        let chain = Self { taken: last.saturating_add(1), due: now + SHORTEST_REPEAT, all_paged: true };
        let (step, round) = place(policy, last);
        Taken { contacts: everybody.contacts, gaps, chain, step, round }
    }
}

fn reach(on_call: &OnCall, targets: &[Target], round: u32, now: DateTime<Utc>) -> Reached {
    let mut reached = on_call.reach(targets, now);
    if round > 0 {
        reached.contacts.extend(on_call.reach(on_call.catch_all(), now).contacts);
    }
    reached
}

/// Which step of which round is taken at `index`, both from 1.
fn place(policy: &Policy, index: u32) -> (u32, u32) {
    (index % length(policy) + 1, index / length(policy) + 1)
}

/// How many steps a round has; at least one, the catch-all.
fn length(policy: &Policy) -> u32 {
    u32::try_from(policy.steps.len()).unwrap_or(u32::MAX).max(1)
}
