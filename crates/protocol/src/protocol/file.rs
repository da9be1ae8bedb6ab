//! The protocol file as it is written, before anything in it is looked up.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// An expression with its place in the file.
pub(super) type Expression = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) local_default: String,
    /// The threshold that says how many sections make a disability index.
    pub(super) least_disability_answers: Spanned<String>,
    pub(super) sources: BTreeMap<String, Source>,
    pub(super) thresholds: BTreeMap<String, Spanned<Threshold>>,
    pub(super) options: BTreeMap<String, Switch>,
    pub(super) definitions: BTreeMap<String, Spanned<Definition>>,
    pub(super) elective: Elective,
    pub(super) findings: Vec<Spanned<Finding>>,
    pub(super) next_visit: Vec<Spanned<NextVisit>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) title: String,
    pub(super) resolution: crate::assessment::Resolution,
    #[serde(default)]
    pub(super) note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Threshold {
    pub(super) value: toml::Value,
    pub(super) unit: String,
    pub(super) safe: [toml::Value; 2],
    pub(super) meaning: String,
    #[serde(default)]
    pub(super) cites: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    pub(super) value: bool,
    pub(super) meaning: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    pub(super) is: Expression,
    /// Count the places of this kind where `is` holds.
    #[serde(default)]
    pub(super) among: Option<String>,
    pub(super) meaning: String,
}

/// What happens to elective findings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Elective {
    pub(super) qualifier: String,
    pub(super) when: Expression,
    pub(super) suppressed: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    pub(super) code: String,
    pub(super) section: String,
    pub(super) severity: crate::assessment::Severity,
    #[serde(default)]
    pub(super) limit: Option<String>,
    /// The condition for each side, with `side` bound.
    #[serde(default)]
    pub(super) on_side: Option<Expression>,
    /// The condition for the patient as a whole.
    #[serde(default)]
    pub(super) when: Option<Expression>,
    #[serde(default)]
    pub(super) raised: Option<Raised>,
    #[serde(default)]
    pub(super) qualifiers: BTreeMap<String, Expression>,
    #[serde(default)]
    pub(super) grounds: Vec<Ground>,
    /// Lesser findings of the same side that this one stands for.
    #[serde(default)]
    pub(super) stands_for: Vec<String>,
    #[serde(default)]
    pub(super) elective: bool,
    /// For a question: what else must hold for it to be answered.
    #[serde(default)]
    pub(super) answered: Option<Expression>,
    pub(super) text: Expression,
    /// The text for the patient as a whole, when the finding has sides as well.
    #[serde(default)]
    pub(super) text_whole: Option<Expression>,
    pub(super) action: String,
    #[serde(default)]
    pub(super) conflict: Option<String>,
    #[serde(default)]
    pub(super) odds: Vec<Odds>,
    #[serde(default)]
    pub(super) cites: Vec<String>,
    /// What of this finding has no source.
    #[serde(default)]
    pub(super) local: Option<String>,
}

/// When a finding is graver than usual.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raised {
    pub(super) to: crate::assessment::Severity,
    #[serde(default)]
    pub(super) limit: Option<String>,
    pub(super) when: Expression,
}

/// One reason of a finding and how bad it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ground {
    /// A selection: each of its places is a ground.
    #[serde(default)]
    pub(super) places: Option<Expression>,
    #[serde(default)]
    pub(super) name: Option<String>,
    /// A number, or a condition that counts 1.
    pub(super) worth: Expression,
}

/// An adjusted odds ratio with its interval.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Odds {
    pub(super) outcome: String,
    pub(super) ratio: String,
    /// The 95 % interval; missing where the source gives none.
    #[serde(default)]
    pub(super) interval: Option<[String; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NextVisit {
    pub(super) kind: crate::assessment::VisitKind,
    pub(super) when: Expression,
    #[serde(default)]
    pub(super) from_start: Option<[i64; 2]>,
    #[serde(default)]
    pub(super) from_visit: Option<[i64; 2]>,
    /// Last day after the start of treatment for either end of `from_visit`.
    #[serde(default)]
    pub(super) until: Option<i64>,
    /// Days between routine visits, and how far a window reaches either way.
    #[serde(default)]
    pub(super) every: Option<i64>,
    #[serde(default)]
    pub(super) tolerance: Option<i64>,
    /// The window is the shortest limit of the active urgent findings.
    #[serde(default)]
    pub(super) within_limit: bool,
    pub(super) advice: String,
    #[serde(default)]
    pub(super) cites: Vec<String>,
}
