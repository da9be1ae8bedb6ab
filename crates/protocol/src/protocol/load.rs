//! Loading a protocol file: everything is looked up and checked, every fault is kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::assessment::{Citation, ProtocolRef};
use crate::rules::{Cond, Lowered, Mistake, Num, Scope, lower};

use super::names::Names;
use super::schedule::Window;
use super::{
    LoadFault, Protocol, Rule, Source, Switch, Threshold, VisitRule, codes, definitions, file, findings, order, safety,
};

/// A protocol file longer than this is refused unread.
const MAX_BYTES: usize = 1_000_000;

pub(super) struct Loader<'t> {
    text: &'t str,
    faults: Vec<LoadFault>,
    pub(super) names: Names,
    /// Each finding with each lesser one that it stands for.
    pub(super) stands_for: Vec<(String, String)>,
    sources: Vec<Source>,
    grounds: Vec<String>,
}

pub(super) fn load(text: &str) -> Result<Protocol, Vec<LoadFault>> {
    if text.len() > MAX_BYTES {
        let reason = format!("a protocol file has at most {MAX_BYTES} bytes");
        return Err(vec![LoadFault { line: 1, reason }]);
    }
    let file: file::File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let reason = error.message().to_owned();
        vec![LoadFault { line, reason }]
    })?;
    let mut loader = Loader {
        text,
        faults: Vec::new(),
        names: Names::default(),
        stands_for: findings::stands_for(&file.findings),
        sources: Vec::new(),
        grounds: Vec::new(),
    };
    let protocol = loader.protocol(&file);
    match protocol {
        Some(protocol) if loader.faults.is_empty() => Ok(protocol),
        _ => {
            loader.faults.sort_by_key(|fault| fault.line);
            Err(loader.faults)
        }
    }
}

impl Loader<'_> {
    fn protocol(&mut self, file: &file::File) -> Option<Protocol> {
        self.gather(file);
        if !definitions::define(self, &file.definitions) {
            return None;
        }
        let (rules, conditions): (Vec<_>, Vec<_>) =
            file.findings.iter().map(|finding| findings::lower_finding(self, finding)).unzip();
        let elective_when = self.condition(&file.elective.when, Scope::Visit, "elective");
        let next_visit = self.schedule(&file.next_visit);
        let least = self.least_answers(&file.least_disability_answers);
        if !self.faults.is_empty() {
            return None;
        }
        let steps = self.checked(order::steps(&self.names.definitions, &rules, &conditions))?;
        let mut protocol = Protocol {
            reference: self.reference(file),
            title: file.title.clone(),
            local_default: file.local_default.clone(),
            least_disability_answers: least?,
            sources: std::mem::take(&mut self.sources),
            thresholds: std::mem::take(&mut self.names.thresholds),
            options: std::mem::take(&mut self.names.options),
            definitions: std::mem::take(&mut self.names.definitions),
            definition_notes: std::mem::take(&mut self.names.notes),
            findings: rules,
            grounds: std::mem::take(&mut self.grounds),
            conditions,
            grave_steps: Vec::new(),
            other_steps: steps,
            elective_qualifier: file.elective.qualifier.clone(),
            elective_when: elective_when?,
            suppressed: file.elective.suppressed.clone(),
            next_visit,
        };
        order::split(&mut protocol);
        for (code, reason) in safety::dangers(&protocol) {
            self.fault(self.line_of_finding(file, &code), reason);
        }
        Some(protocol)
    }

    /// Takes in sources, thresholds, options and the codes of all findings.
    fn gather(&mut self, file: &file::File) {
        for (key, source) in &file.sources {
            self.sources.push(Source {
                key: key.clone(),
                title: source.title.clone(),
                resolution: source.resolution,
                note: source.note.clone(),
            });
        }
        for (name, written) in &file.thresholds {
            let line = self.line(written.span().start);
            match Threshold::of(name, written.get_ref()) {
                Ok(threshold) => {
                    let danger = threshold.danger(written.get_ref());
                    self.names.thresholds.push(threshold);
                    if let Some(reason) = danger {
                        self.fault(line, reason);
                    }
                }
                Err(reason) => self.fault(line, reason),
            }
            self.citations(&written.get_ref().cites, line, name);
        }
        self.names.options = switches(&file.options);
        for finding in &file.findings {
            let code = &finding.get_ref().code;
            if self.names.finding_by_code(code).is_some() {
                let line = self.line(finding.span().start);
                self.fault(line, format!("finding {code} stands here a second time"));
            }
            self.names.codes.push(code.clone());
        }
        for code in codes::REQUIRED {
            if self.names.finding_by_code(code).is_none() {
                self.fault(1, format!("finding {code} is missing; no finding may be left out"));
            }
        }
    }

    fn schedule(&mut self, rows: &[Spanned<file::NextVisit>]) -> Vec<VisitRule> {
        let mut rules = Vec::new();
        for row in rows {
            let line = self.line(row.span().start);
            let row = row.get_ref();
            let what = format!("next visit {}", row.kind);
            let when = self.condition(&row.when, Scope::Visit, &what);
            self.citations(&row.cites, line, &what);
            match Window::of(row) {
                Ok(window) => rules.extend(when.map(|when| VisitRule {
                    kind: row.kind,
                    when,
                    window,
                    advice: row.advice.clone(),
                    cites: row.cites.clone(),
                    written: row.when.get_ref().trim().to_owned(),
                })),
                Err(reason) => self.fault(line, format!("{what}: {reason}")),
            }
        }
        rules
    }

    fn least_answers(&mut self, name: &Spanned<String>) -> Option<u8> {
        let known = self.names.thresholds.iter().find(|known| known.name == *name.get_ref());
        let least = known.and_then(|threshold| u8::try_from(threshold.value.floor()).ok());
        if least.is_none() {
            let line = self.line(name.span().start);
            self.fault(line, format!("there is no threshold {}", name.get_ref()));
        }
        least
    }

    fn reference(&self, file: &file::File) -> ProtocolRef {
        let mut sha256 = String::with_capacity(64);
        for byte in Sha256::digest(self.text.as_bytes()) {
            let _ = write!(sha256, "{byte:02x}");
        }
        ProtocolRef { id: file.id.clone(), version: file.version.clone(), sha256 }
    }

    fn checked<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.fault(1, reason)).ok()
    }

    /// Lowers a condition; a mistake is noted with its line.
    pub(super) fn condition(&mut self, text: &Spanned<String>, scope: Scope, what: &str) -> Option<Cond> {
        match lower(text.get_ref(), scope, &self.names) {
            Ok(Lowered::Truth(cond)) => Some(cond),
            Ok(Lowered::Number(..)) => {
                let mistake = Mistake::at(0, "a yes or no is needed, this is a number");
                self.mistake(text, &mistake, what)
            }
            Err(mistake) => self.mistake(text, &mistake, what),
        }
    }

    /// Lowers a number; a mistake is noted with its line.
    pub(super) fn number(&mut self, text: &Spanned<String>, scope: Scope, what: &str) -> Option<Num> {
        match lower(text.get_ref(), scope, &self.names) {
            Ok(Lowered::Number(number, _)) => Some(number),
            Ok(Lowered::Truth(_)) => {
                let mistake = Mistake::at(0, "a number is needed, this is a yes or no");
                self.mistake(text, &mistake, what)
            }
            Err(mistake) => self.mistake(text, &mistake, what),
        }
    }

    /// The sources that are cited, each of which must be listed.
    pub(super) fn citations(&mut self, cites: &[String], line: usize, what: &str) -> Vec<Citation> {
        let mut citations = Vec::new();
        for cite in cites {
            match self.sources.iter().find(|source| source.key == *cite) {
                Some(source) => {
                    citations.push(Citation { reference: source.key.clone(), resolution: source.resolution });
                }
                None => self.fault(line, format!("{what} cites {cite}, which is no listed source")),
            }
        }
        citations
    }

    /// The number of a ground's name: a ground of one finding is that of another by its name.
    pub(super) fn ground(&mut self, name: String) -> usize {
        let known = self.grounds.iter().position(|known| *known == name);
        known.unwrap_or_else(|| {
            self.grounds.push(name);
            self.grounds.len() - 1
        })
    }

    /// Notes a mistake within an expression.
    pub(super) fn mistake<T>(&mut self, text: &Spanned<String>, mistake: &Mistake, what: &str) -> Option<T> {
        let inside = text.get_ref().get(..mistake.offset).unwrap_or_default();
        let line = self.line(text.span().start) + inside.matches('\n').count();
        let opening = self.text[text.span().start..].starts_with("'''\n")
            || self.text[text.span().start..].starts_with("\"\"\"\n");
        self.fault(line + usize::from(opening), format!("{what}: {}", mistake.reason));
        None
    }

    pub(super) fn fault(&mut self, line: usize, reason: String) {
        self.faults.push(LoadFault { line, reason });
    }

    pub(super) fn line(&self, offset: usize) -> usize {
        line_of(self.text, offset)
    }

    fn line_of_finding(&self, file: &file::File, code: &str) -> usize {
        let found = file.findings.iter().find(|finding| finding.get_ref().code == code);
        found.map_or(1, |finding| self.line(finding.span().start))
    }
}

fn switches(options: &BTreeMap<String, file::Switch>) -> Vec<Switch> {
    let switch = |(name, option): (&String, &file::Switch)| Switch {
        name: name.clone(),
        value: option.value,
        meaning: option.meaning.clone(),
    };
    options.iter().map(switch).collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1)
}

/// A finding with its conditions, on a side and as a whole.
pub(super) type Lowering = (Rule, (Option<Cond>, Option<Cond>));
