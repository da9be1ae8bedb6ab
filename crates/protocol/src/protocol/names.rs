//! The names of one protocol file: thresholds, options, definitions and findings by number.

use crate::facts::Unit;
use crate::logic::Ratio;
use crate::rules::{Definition, Meaning, Shape, Vocabulary};

use super::{DefinitionNote, Switch, Threshold};

/// All that is known of the file so far; definitions come in as they are lowered.
#[derive(Default)]
pub(super) struct Names {
    pub(super) thresholds: Vec<Threshold>,
    pub(super) options: Vec<Switch>,
    pub(super) definitions: Vec<Definition>,
    pub(super) shapes: Vec<Shape>,
    pub(super) notes: Vec<DefinitionNote>,
    pub(super) codes: Vec<String>,
}

impl Names {
    pub(super) fn finding_by_code(&self, code: &str) -> Option<usize> {
        self.codes.iter().position(|known| known == code)
    }
}

impl Vocabulary for Names {
    fn definition(&self, name: &str) -> Option<(usize, Shape, (bool, bool))> {
        let slot = self.notes.iter().position(|note| note.name == name)?;
        let definition = &self.definitions[slot];
        let available = match &definition.meaning {
            Meaning::Selection(domain, _) => (domain.is_sided(), true),
            Meaning::Truth(_) | Meaning::Number(_) => (definition.sided, !definition.sided),
        };
        Some((slot, self.shapes[slot], available))
    }

    fn threshold(&self, name: &str) -> Option<(usize, Ratio, Unit)> {
        let index = self.thresholds.iter().position(|known| known.name == name)?;
        let threshold = &self.thresholds[index];
        Some((index, threshold.value, threshold.unit))
    }

    fn option(&self, name: &str) -> Option<(usize, bool)> {
        let index = self.options.iter().position(|known| known.name == name)?;
        Some((index, self.options[index].value))
    }

    fn finding(&self, name: &str) -> Option<usize> {
        self.finding_by_code(&name.replace('_', "-"))
    }

    fn names(&self) -> Vec<String> {
        let thresholds = self.thresholds.iter().map(|known| format!("t.{}", known.name));
        let options = self.options.iter().map(|known| format!("option.{}", known.name));
        let definitions = self.notes.iter().map(|note| note.name.clone());
        let findings = self.codes.iter().map(|code| format!("found.{}", code.replace('-', "_")));
        thresholds.chain(options).chain(definitions).chain(findings).collect()
    }
}
