//! What a finding depends on, through definitions: thresholds, options, definitions.

use std::collections::BTreeSet;

use crate::rules::{Cond, Meaning, Num};

use super::{Ground, Protocol, findings};

/// The numbers of everything that one finding reads.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub(crate) thresholds: BTreeSet<usize>,
    pub(crate) options: BTreeSet<usize>,
    pub(crate) definitions: BTreeSet<usize>,
}

impl Protocol {
    /// What a finding depends on, other findings left aside.
    pub(crate) fn uses(&self, finding: usize) -> Uses {
        let mut uses = Uses::default();
        let (on_side, whole) = &self.conditions[finding];
        for cond in [on_side, whole].into_iter().flatten() {
            uses.of_cond(self, cond);
        }
        let rule = &self.findings[finding];
        for cond in findings::conditions(rule) {
            uses.of_cond(self, cond);
        }
        for ground in &rule.grounds {
            match ground {
                Ground::Condition { .. } => {}
                Ground::Number { worth, .. } => uses.of_number(self, worth),
                Ground::Places { definition, worth } => {
                    uses.of_definition(self, *definition);
                    uses.of_number(self, worth);
                }
            }
        }
        uses
    }

    /// The codes of the findings for which `wanted` holds.
    pub(crate) fn codes_using(&self, wanted: impl Fn(&Uses) -> bool) -> Vec<&str> {
        let all = self.findings.iter().enumerate();
        let using = all.filter(|(finding, _)| wanted(&self.uses(*finding)));
        using.map(|(_, rule)| rule.code.as_str()).collect()
    }
}

impl Uses {
    fn of_definition(&mut self, protocol: &Protocol, slot: usize) {
        if !self.definitions.insert(slot) {
            return;
        }
        match &protocol.definitions[slot].meaning {
            Meaning::Truth(cond) | Meaning::Selection(_, cond) => self.of_cond(protocol, cond),
            Meaning::Number(number) => self.of_number(protocol, number),
        }
    }

    fn of_cond(&mut self, protocol: &Protocol, cond: &Cond) {
        match cond {
            Cond::Literal(_) | Cond::Fact(..) | Cond::KnownFact(..) | Cond::Found(..) => {}
            Cond::Option(option, _) => {
                self.options.insert(*option);
            }
            Cond::Defined(slot, _) | Cond::KnownDefined(slot, _) => self.of_definition(protocol, *slot),
            Cond::Not(inner) => self.of_cond(protocol, inner),
            Cond::And(all) | Cond::Or(all) => {
                for cond in all {
                    self.of_cond(protocol, cond);
                }
            }
            Cond::Compare(_, left, right) => {
                self.of_number(protocol, left);
                self.of_number(protocol, right);
            }
        }
    }

    fn of_number(&mut self, protocol: &Protocol, number: &Num) {
        match number {
            Num::Literal(_) | Num::Fact(..) => {}
            Num::Threshold(threshold, _) => {
                self.thresholds.insert(*threshold);
            }
            Num::Defined(slot, _) => self.of_definition(protocol, *slot),
            Num::Add(left, right) | Num::Subtract(left, right) | Num::Multiply(left, right) => {
                self.of_number(protocol, left);
                self.of_number(protocol, right);
            }
        }
    }
}
