//! What stands in a block of the record under a name that is not known: it may be a danger sign in other words.

use serde_json::Value;

use super::names::{are_alike, plain};
use super::numbers::{are_all, numbers};
use super::places::{Place, is_note};
use super::values::Answer;

/// The blocks on whose fields emergencies rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Screen,
    Motor,
}

/// Fields of these blocks on which none rests, plain.
const CALM: [&str; 2] = ["steroid", "osteoporosis"];

/// A strength above this is no deficit that is severe.
const SEVERE: f64 = 3.0;

impl Block {
    /// The block of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match plain(name).as_str() {
            "caudaequina" | "serious" => Some(Self::Screen),
            "motor" => Some(Self::Motor),
            _ => None,
        }
    }

    /// Whether the value of a field, whose name is not known, may be one of a danger sign.
    pub(super) fn may_hold(self, name: &str, value: &Value) -> bool {
        let name = plain(name);
        let is_known = CALM.iter().any(|calm| are_alike(&name, calm));
        Place::of(&name) == Place::Other && !is_note(&name) && !is_known && self.is_feared(value)
    }

    fn is_feared(self, value: &Value) -> bool {
        match (value, self) {
            (Value::Array(list), _) => list.iter().any(|value| self.is_feared(value)),
            (Value::Object(fields), _) => fields.values().any(|value| self.is_feared(value)),
            (single, Self::Screen) => matches!(Answer::of(single), Answer::Yes | Answer::Unclear),
            (single, Self::Motor) => !are_all(single) || numbers(single).iter().any(|grade| *grade <= SEVERE),
        }
    }
}
