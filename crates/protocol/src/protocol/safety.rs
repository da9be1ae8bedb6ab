//! What a protocol file may never do: delay, lower or mute an emergency or urgent finding.

use crate::assessment::VisitKind;
use crate::facts::Family;
use crate::rules::{Cond, FactRef, Meaning, Num, Reach};

use super::{Protocol, Rule};

/// Every danger of a loaded protocol: the code of the finding, and the reason to refuse it.
pub(super) fn dangers(protocol: &Protocol) -> Vec<(String, String)> {
    let mut dangers = Vec::new();
    for (index, rule) in protocol.findings.iter().enumerate() {
        if rule.may_be_grave() {
            let reasons = of_grave(protocol, index, rule);
            dangers.extend(reasons.into_iter().map(|reason| (rule.code.clone(), reason)));
        }
        dangers.extend(standing(protocol, rule).map(|reason| (rule.code.clone(), reason)));
    }
    dangers.extend(schedule(protocol).map(|reason| (String::new(), reason)));
    dangers
}

fn of_grave(protocol: &Protocol, index: usize, rule: &Rule) -> Vec<String> {
    let code = &rule.code;
    let mut reasons = Vec::new();
    if rule.elective {
        reasons.push(format!("{code}: an elective finding waits for emergencies, so it cannot be one"));
    }
    let (on_side, whole) = &protocol.conditions[index];
    let walk = Walk { protocol, rule, index };
    for cond in [on_side, whole].into_iter().flatten() {
        walk.muted(cond, true, &mut reasons);
        if !walk.can_be(cond, true) {
            reasons.push(format!(
                "{code}: age, time, pregnancy, predictors, elective facts and options may add a \
                 reason to an emergency or urgent finding, but it must be able to fire without them"
            ));
        }
    }
    reasons
}

/// A greater finding hides the lesser one, so it must be at least as grave.
fn standing(protocol: &Protocol, rule: &Rule) -> Option<String> {
    let mut greater = rule.greater.iter().map(|greater| &protocol.findings[*greater]);
    let weaker = greater.find(|greater| greater.severity > rule.severity || !greater.may_be_grave())?;
    Some(format!("{}: {} is less grave and cannot stand for it", rule.code, weaker.code))
}

/// The schedule must hold everything for an emergency, then for an urgent finding.
fn schedule(protocol: &Protocol) -> Option<String> {
    let is_fact =
        |cond: &Cond, name: &str| matches!(cond, Cond::Fact(FactRef::Visit(fact), Reach::Whole) if fact.name == name);
    let starts = match protocol.next_visit.as_slice() {
        [hold, urgent, .., last] => {
            hold.kind == VisitKind::Hold
                && is_fact(&hold.when, "active_emergency")
                && urgent.kind == VisitKind::Urgent
                && is_fact(&urgent.when, "active_urgent")
                && matches!(last.when, Cond::Literal(true))
        }
        _ => false,
    };
    (!starts).then(|| {
        "the schedule must begin with hold when active_emergency and urgent when active_urgent, \
         and end with a row that always applies"
            .to_owned()
    })
}

struct Walk<'p> {
    protocol: &'p Protocol,
    rule: &'p Rule,
    index: usize,
}

impl Walk<'_> {
    /// Notes each less grave finding, option and outcome that stands in the way of this one.
    fn muted(&self, cond: &Cond, wanted: bool, reasons: &mut Vec<String>) {
        match cond {
            Cond::Not(inner) => self.muted(inner, !wanted, reasons),
            Cond::And(all) | Cond::Or(all) => {
                for cond in all {
                    self.muted(cond, wanted, reasons);
                }
            }
            Cond::Defined(slot, _) => {
                if let Meaning::Truth(cond) | Meaning::Selection(_, cond) = &self.protocol.definitions[*slot].meaning {
                    self.muted(cond, wanted, reasons);
                }
            }
            Cond::Found(other, _) if !wanted && *other != self.index => {
                let other = &self.protocol.findings[*other];
                if other.severity > gravest(self.rule) {
                    reasons.push(format!("{}: {} would mute it, which is less grave", self.rule.code, other.code));
                }
            }
            Cond::Fact(fact, _) if fact.family() == Family::Outcome => {
                reasons.push(format!(
                    "{}: {} is known only after all emergencies and urgent findings",
                    self.rule.code,
                    fact.name()
                ));
            }
            _ => {}
        }
    }

    /// Whether the condition can come out as wanted with nothing that may only add a reason.
    fn can_be(&self, cond: &Cond, wanted: bool) -> bool {
        match cond {
            Cond::Literal(value) => *value == wanted,
            Cond::Option(..) => false,
            Cond::Fact(fact, _) | Cond::KnownFact(fact, _) => may_decide(*fact),
            Cond::Found(..) | Cond::KnownDefined(..) => true,
            Cond::Defined(slot, _) => match &self.protocol.definitions[*slot].meaning {
                Meaning::Truth(cond) => self.can_be(cond, wanted),
                Meaning::Selection(..) | Meaning::Number(_) => true,
            },
            Cond::Not(inner) => self.can_be(inner, !wanted),
            Cond::And(all) if wanted => all.iter().all(|cond| self.can_be(cond, true)),
            Cond::Or(any) if !wanted => any.iter().all(|cond| self.can_be(cond, false)),
            Cond::And(any) | Cond::Or(any) => any.iter().any(|cond| self.can_be(cond, wanted)),
            Cond::Compare(_, left, right) => self.decides(left) && self.decides(right),
        }
    }

    fn decides(&self, number: &Num) -> bool {
        match number {
            Num::Literal(_) | Num::Threshold(..) => true,
            Num::Fact(fact, _) => may_decide(*fact),
            Num::Defined(slot, _) => match &self.protocol.definitions[*slot].meaning {
                Meaning::Number(number) => self.decides(number),
                Meaning::Selection(_, cond) => self.can_be(cond, true),
                Meaning::Truth(_) => true,
            },
            Num::Add(left, right) | Num::Subtract(left, right) | Num::Multiply(left, right) => {
                self.decides(left) && self.decides(right)
            }
        }
    }
}

fn gravest(rule: &Rule) -> crate::assessment::Severity {
    let raised = rule.raised.as_ref().map(|raised| raised.to);
    raised.map_or(rule.severity, |raised| raised.min(rule.severity))
}

/// Whether an emergency or urgent finding may depend on the fact.
fn may_decide(fact: FactRef) -> bool {
    match fact.family() {
        Family::Symptoms | Family::Examination | Family::Screening | Family::Trauma | Family::Treatment => true,
        Family::Age | Family::Predictor | Family::Timing | Family::Elective | Family::Outcome => false,
    }
}
