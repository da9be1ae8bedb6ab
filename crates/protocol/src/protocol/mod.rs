//! A protocol: definitions, rules, thresholds and texts, loaded once from a TOML file.
//!
//! Loading looks up every name, checks every type, unit, bound and citation, and refuses what
//! could delay or mute an emergency; a loaded protocol evaluates without failing.

mod codes;
mod definitions;
mod file;
mod findings;
mod limit;
mod load;
mod names;
mod order;
mod safety;
mod schedule;
mod text;
mod thresholds;
mod uses;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::OnceLock;

use crate::assessment::{Citation, ProtocolRef, Severity, VisitKind};
use crate::facts::Unit;
use crate::logic::Ratio;
use crate::rules::{Cond, Definition, Num, State};

pub use limit::Limit;
pub(crate) use schedule::Window;
pub(crate) use text::{Piece, Template};
pub(crate) use thresholds::in_words;
pub(crate) use uses::Uses;

const EMBEDDED: &str = include_str!("../../../../protocols/lumbosacral-radiculopathy.toml");

/// A loaded protocol.
pub struct Protocol {
    pub(crate) reference: ProtocolRef,
    pub(crate) title: String,
    pub(crate) local_default: String,
    pub(crate) least_disability_answers: u8,
    pub(crate) sources: Vec<Source>,
    pub(crate) thresholds: Vec<Threshold>,
    pub(crate) options: Vec<Switch>,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) definition_notes: Vec<DefinitionNote>,
    pub(crate) findings: Vec<Rule>,
    /// The names of the findings' grounds, each once.
    pub(crate) grounds: Vec<String>,
    /// The conditions of each finding, on a side and as a whole.
    pub(crate) conditions: Vec<(Option<Cond>, Option<Cond>)>,
    /// Everything that emergencies and urgent findings need, then the rest.
    pub(crate) grave_steps: Vec<Step>,
    pub(crate) other_steps: Vec<Step>,
    pub(crate) elective_qualifier: String,
    pub(crate) elective_when: Cond,
    pub(crate) suppressed: String,
    pub(crate) next_visit: Vec<VisitRule>,
}

/// One step of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Define(usize),
    Find(usize),
}

/// A source that findings cite.
pub(crate) struct Source {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) resolution: crate::assessment::Resolution,
    pub(crate) note: Option<String>,
}

/// A number that the rules compare with, and the bounds within which it is safe.
pub(crate) struct Threshold {
    pub(crate) name: String,
    pub(crate) value: Ratio,
    pub(crate) unit: Unit,
    pub(crate) safe: (Ratio, Ratio),
    pub(crate) meaning: String,
    pub(crate) cites: Vec<String>,
}

/// An option that a site may switch.
pub(crate) struct Switch {
    pub(crate) name: String,
    pub(crate) value: bool,
    pub(crate) meaning: String,
}

/// How a definition is written and what it means.
pub(crate) struct DefinitionNote {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) meaning: String,
}

/// A finding: everything about it but its conditions.
pub(crate) struct Rule {
    pub(crate) code: String,
    pub(crate) section: String,
    pub(crate) severity: Severity,
    pub(crate) limit: Option<Limit>,
    pub(crate) raised: Option<Raised>,
    pub(crate) qualifiers: Vec<Qualifier>,
    pub(crate) grounds: Vec<Ground>,
    /// Findings of the same side that stand for this one.
    pub(crate) greater: Vec<usize>,
    /// Findings of the same side that this one stands for.
    pub(crate) stands_for: Vec<usize>,
    pub(crate) elective: bool,
    pub(crate) asks: bool,
    pub(crate) answered: Option<Cond>,
    pub(crate) text: Template,
    pub(crate) text_whole: Option<Template>,
    pub(crate) action: String,
    pub(crate) conflict: Option<String>,
    pub(crate) odds: Vec<Odds>,
    pub(crate) citations: Vec<Citation>,
    pub(crate) local: Option<String>,
    /// The conditions as they are written.
    pub(crate) written: Vec<String>,
}

/// A word that marks a finding when more holds.
pub(crate) struct Qualifier {
    pub(crate) name: String,
    pub(crate) when: Cond,
    pub(crate) written: String,
}

/// When a finding is graver than usual.
pub(crate) struct Raised {
    pub(crate) to: Severity,
    pub(crate) limit: Option<Limit>,
    pub(crate) when: Cond,
    pub(crate) written: String,
}

/// One kind of reason for a finding.
pub(crate) enum Ground {
    /// Each place that a definition selects, worth a number.
    Places { definition: usize, worth: Num },
    /// A condition, worth 1; its name by number.
    Condition { name: usize, when: Cond },
    /// A number of its own; its name by number.
    Number { name: usize, worth: Num },
}

/// An adjusted odds ratio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Odds {
    pub(crate) outcome: String,
    pub(crate) ratio: String,
    pub(crate) interval: Option<[String; 2]>,
}

/// One row of the schedule; the first that applies counts.
pub(crate) struct VisitRule {
    pub(crate) kind: VisitKind,
    pub(crate) when: Cond,
    pub(crate) window: Window,
    pub(crate) advice: String,
    pub(crate) cites: Vec<String>,
    pub(crate) written: String,
}

/// Why a protocol file was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LoadFault {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong and what is allowed, as a sentence without a full stop.
    pub reason: String,
}

impl Protocol {
    /// The protocol that is part of the program.
    pub fn embedded() -> &'static Self {
        static PROTOCOL: OnceLock<Protocol> = OnceLock::new();
        PROTOCOL.get_or_init(|| Self::load(EMBEDDED).expect("a test loads the embedded protocol, which never changes"))
    }

    /// The text of the protocol that is part of the program.
    pub const fn embedded_text() -> &'static str {
        EMBEDDED
    }

    /// Loads a protocol file; every fault is returned, in the order of the file.
    pub fn load(text: &str) -> Result<Self, Vec<LoadFault>> {
        load::load(text)
    }

    /// Its name, version and the hash of its text.
    pub const fn reference(&self) -> &ProtocolRef {
        &self.reference
    }

    /// The codes of all its findings, in the order of the file.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().map(|rule| rule.code.as_str())
    }

    /// An empty slate for one evaluation.
    pub(crate) fn state(&self) -> State {
        State::new(self.definitions.len(), self.findings.len())
    }

    /// What to tell the patient about a next visit of this kind.
    pub fn advice(&self, kind: VisitKind) -> Option<&str> {
        let rule = self.next_visit.iter().find(|rule| rule.kind == kind);
        rule.map(|rule| rule.advice.as_str())
    }
}

impl Rule {
    /// Whether it can ever be an emergency or urgent.
    pub(crate) fn may_be_grave(&self) -> bool {
        let raised = self.raised.as_ref().is_some_and(|raised| raised.to.is_grave());
        self.severity.is_grave() || raised
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Protocol").field(&self.reference).finish()
    }
}
