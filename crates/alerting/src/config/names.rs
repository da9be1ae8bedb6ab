//! How the set-up's parts are called in what is said of them: by their names where those fit, else by their numbers, for
//! what does not fit may be a secret that came into the wrong line.

use std::collections::BTreeSet;

use super::check::{Checker, MOST};

/// The names that a policy may have.
pub(super) const POLICIES: [&str; 3] = ["default", "emergency", "urgent"];

/// Whether a name is short and safe to show anywhere.
pub(super) fn fits(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
}

/// The entry at `index` of the contacts, rotas or policies.
pub(super) fn called(what: &str, index: usize, name: &str) -> String {
    let shown = if what == "policy" { POLICIES.contains(&name) } else { fits(name) };
    if shown { format!("{what} \"{name}\"") } else { format!("{what} {}", index + 1) }
}

impl Checker {
    /// Names fit, and each stands there once.
    pub(super) fn names<'a>(&mut self, what: &str, names: impl Iterator<Item = &'a String>) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.enumerate() {
            let place = called(what, index, name);
            if !fits(name) {
                self.fault(&place, "write a name of 1 to 64 lower case letters, digits, `-` and `_`");
            }
            if !seen.insert(name) {
                self.fault(&place, "the name is taken twice; rename one");
            }
        }
        if seen.len() > MOST {
            self.fault(what, format!("there are {}; at most {MOST} are possible", seen.len()));
        }
    }
}
