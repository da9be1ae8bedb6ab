//! What stands in a block of the record on which emergencies rest: under a name that is not known it may be a danger sign
//! in other words.

use serde_json::Value;

use super::names::{are_alike, plain};
use super::numbers::{are_all, numbers};
use super::places::{Place, is_note};
use super::values::{Answer, is_calm};

/// The blocks on whose fields emergencies rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Screen,
    Motor,
}

/// Fields of these blocks on which none rests, plain.
const CALM: [&str; 3] = ["steroid", "osteoporosis", "steroiduse"];

/// Names of how something was found out, plain: their values are no answers.
const HOW: [&str; 13] = [
    "examiner",
    "assessor",
    "method",
    "resourcetype",
    "scale",
    "source",
    "device",
    "form",
    "type",
    "url",
    "profile",
    "language",
    "dominantside",
];

/// Names of how far the asking has come, plain; beside an answer they may be one.
const HOW_FAR: [&str; 6] = ["status", "completed", "performed", "asked", "tested", "reviewed"];

/// A strength up to this is a deficit that is severe.
const SEVERE: f64 = 3.0;

impl Block {
    /// The block that a name stands for, alone or with what is in it.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = plain(name);
        let holds = |block: &str| name.contains(block) || are_alike(&name, block);
        if ["caudaequina", "serious", "redflags"].into_iter().any(holds) {
            return Some(Self::Screen);
        }
        holds("motor").then_some(Self::Motor)
    }

    /// Whether a value that answers no field we know may be a danger sign.
    pub(super) fn fears(self, value: &Value) -> bool {
        match self {
            Self::Screen => match Answer::of(value) {
                Answer::Yes => true,
                Answer::Unclear => !is_calm(value),
                Answer::No | Answer::None => false,
            },
            Self::Motor => !are_all(value) || numbers(value).iter().any(|grade| *grade <= SEVERE),
        }
    }
}

/// Whether a field says how or by whom something was found out, and not what.
pub(super) fn is_beside(name: &str, answers: bool) -> bool {
    let place = Place::of(name);
    let name = plain(name);
    let is_calm = || CALM.iter().any(|calm| are_alike(&name, calm));
    place == Place::Bookkeeping
        || is_note(&name)
        || HOW.contains(&name.as_str())
        || (!answers && (HOW_FAR.contains(&name.as_str()) || is_calm()))
}
