//! The names that a set-up uses for people and rotas: each must exist.

use std::collections::BTreeSet;
use std::fmt;

use super::check::Checker;
use super::names::fits;
use crate::ids::{ContactName, RotaName};
use crate::on_call::Target;

impl Checker {
    pub(super) fn targets(&mut self, place: &str, written: &[String]) -> Vec<Target> {
        let numbered = written.iter().enumerate();
        numbered.filter_map(|(index, target)| self.target(&format!("{place} {}", index + 1), target)).collect()
    }

    fn target(&mut self, place: &str, written: &str) -> Option<Target> {
        match written.split_once(':') {
            Some(("contact", name)) => self.known_contact(place, &name.into()).then(|| Target::Contact(name.into())),
            Some(("rota", name)) => self.known_rota(place, &name.into()).then(|| Target::Rota(name.into())),
            _ => {
                self.fault(place, "it is no target; write `rota:<name>` or `contact:<name>`");
                None
            }
        }
    }

    pub(super) fn known_contact(&mut self, place: &str, name: &ContactName) -> bool {
        let known = self.contacts.contains(name);
        if !known {
            let message = format!(
                "there is no such contact; write [[contact]] with this name, or one of: {}",
                listed(&self.contacts)
            );
            self.fault(place, message);
        }
        known
    }

    fn known_rota(&mut self, place: &str, name: &RotaName) -> bool {
        let known = self.rotas.contains(name);
        if !known {
            let message =
                format!("there is no such rota; write [[rota]] with this name, or one of: {}", listed(&self.rotas));
            self.fault(place, message);
        }
        known
    }
}

fn listed<T: fmt::Display>(names: &BTreeSet<T>) -> String {
    let fitting: Vec<_> = names.iter().map(ToString::to_string).filter(|name| fits(name)).collect();
    if fitting.is_empty() { "(there are none yet)".to_owned() } else { fitting.join(", ") }
}
