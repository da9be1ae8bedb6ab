//! The order of an evaluation: everything after what it depends on, the grave findings first.

use std::collections::BTreeSet;

use crate::rules::{Cond, Definition, Meaning, Num};

use super::{Ground, Protocol, Rule, Step, findings};

type Conditions = (Option<Cond>, Option<Cond>);

/// All steps, each after those it depends on; a circle is an error.
pub(super) fn steps(
    definitions: &[Definition],
    rules: &[Rule],
    conditions: &[Conditions],
) -> Result<Vec<Step>, String> {
    let all = (0..definitions.len()).map(Step::Define).chain((0..rules.len()).map(Step::Find));
    let mut sort =
        Sort { needs: &|step| needs(step, definitions, rules, conditions), done: Vec::new(), open: BTreeSet::new() };
    for step in all {
        if !sort.visit(step) {
            return Err(match step {
                Step::Define(slot) => format!("definition number {slot} depends on itself"),
                Step::Find(finding) => {
                    format!("finding {} depends on itself", rules[finding].code)
                }
            });
        }
    }
    Ok(sort.done)
}

/// Moves the steps that grave findings need to the front.
pub(super) fn split(protocol: &mut Protocol) {
    let mut grave = BTreeSet::new();
    let mut open: Vec<Step> = (0..protocol.findings.len())
        .filter(|finding| protocol.findings[*finding].may_be_grave())
        .map(Step::Find)
        .collect();
    while let Some(step) = open.pop() {
        if grave.insert(step) {
            let (definitions, rules) = (&protocol.definitions, &protocol.findings);
            open.extend(needs(step, definitions, rules, &protocol.conditions));
        }
    }
    let (first, rest): (Vec<_>, Vec<_>) =
        std::mem::take(&mut protocol.other_steps).into_iter().partition(|step| grave.contains(step));
    protocol.grave_steps = first;
    protocol.other_steps = rest;
}

struct Sort<'s> {
    needs: &'s dyn Fn(Step) -> BTreeSet<Step>,
    done: Vec<Step>,
    open: BTreeSet<Step>,
}

impl Sort<'_> {
    fn visit(&mut self, step: Step) -> bool {
        if self.done.contains(&step) {
            return true;
        }
        if !self.open.insert(step) {
            return false;
        }
        let sorted = (self.needs)(step).into_iter().all(|need| self.visit(need));
        self.done.push(step);
        sorted
    }
}

/// What one step reads. The condition of a finding as a whole may read its own sides, which are
/// evaluated before it.
pub(super) fn needs(
    step: Step,
    definitions: &[Definition],
    rules: &[Rule],
    conditions: &[Conditions],
) -> BTreeSet<Step> {
    let mut needs = BTreeSet::new();
    match step {
        Step::Define(slot) => match &definitions[slot].meaning {
            Meaning::Truth(cond) | Meaning::Selection(_, cond) => of_cond(cond, &mut needs),
            Meaning::Number(number) => of_number(number, &mut needs),
        },
        Step::Find(finding) => {
            let (on_side, whole) = &conditions[finding];
            if let Some(whole) = whole {
                of_cond(whole, &mut needs);
            }
            needs.remove(&step);
            if let Some(on_side) = on_side {
                of_cond(on_side, &mut needs);
            }
            of_rule(&rules[finding], &mut needs);
        }
    }
    needs
}

fn of_rule(rule: &Rule, needs: &mut BTreeSet<Step>) {
    for cond in findings::conditions(rule) {
        of_cond(cond, needs);
    }
    for ground in &rule.grounds {
        match ground {
            Ground::Condition { .. } => {}
            Ground::Number { worth, .. } => of_number(worth, needs),
            Ground::Places { definition, worth } => {
                needs.insert(Step::Define(*definition));
                of_number(worth, needs);
            }
        }
    }
}

fn of_cond(cond: &Cond, needs: &mut BTreeSet<Step>) {
    match cond {
        Cond::Literal(_) | Cond::Option(..) | Cond::Fact(..) | Cond::KnownFact(..) => {}
        Cond::Defined(slot, _) | Cond::KnownDefined(slot, _) => {
            needs.insert(Step::Define(*slot));
        }
        Cond::Found(finding, _) => {
            needs.insert(Step::Find(*finding));
        }
        Cond::Not(inner) => of_cond(inner, needs),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|cond| of_cond(cond, needs)),
        Cond::Compare(_, left, right) => {
            of_number(left, needs);
            of_number(right, needs);
        }
    }
}

fn of_number(number: &Num, needs: &mut BTreeSet<Step>) {
    match number {
        Num::Literal(_) | Num::Threshold(..) | Num::Fact(..) => {}
        Num::Defined(slot, _) => {
            needs.insert(Step::Define(*slot));
        }
        Num::Add(left, right) | Num::Subtract(left, right) | Num::Multiply(left, right) => {
            of_number(left, needs);
            of_number(right, needs);
        }
    }
}
