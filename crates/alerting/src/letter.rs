//! A message that some consumer could not handle, as the operator's alert names it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::finding::Key;
use crate::ids::CaseId;

/// A message that could not be handled. It holds nothing of what the message says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Letter {
    /// Under which `lasegue dead-letters` finds it.
    pub id: Uuid,
    /// The consumer that could not handle it.
    pub consumer: String,
    /// The event's full type name; empty when the message names none.
    pub event_type: String,
    /// The episode that it speaks of.
    pub episode_id: Option<CaseId>,
    /// It is tried again still.
    pub failing: bool,
}

impl Letter {
    /// What an alert about such letters is about: each consumer has one for what it set aside and one for what fails.
    pub fn key(&self) -> Key {
        let code = if self.failing { "failing-events" } else { "dead-letters" };
        Key::of(&format!("{code}:{}", self.consumer))
    }
}

/// Letters that an alert names at most; it counts all.
const NAMED: usize = 50;

/// The letters of one alert: the latest by name, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// How many.
    pub count: u64,
    /// The latest, the oldest of them first.
    pub latest: Vec<Letter>,
}

impl Letters {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds one; false when it is named already.
    pub fn add(&mut self, letter: &Letter) -> bool {
        if self.latest.iter().any(|known| known.id == letter.id) {
            return false;
        }
        self.count += 1;
        self.latest.push(letter.clone());
        let above = self.latest.len().saturating_sub(NAMED);
        self.latest.drain(..above);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(number: u128) -> Letter {
        let (consumer, event_type) = ("assessment-intake".to_owned(), String::new());
        Letter { id: Uuid::from_u128(number), consumer, event_type, episode_id: None, failing: false }
    }

    #[test]
    fn an_alert_names_the_latest_letters_and_counts_all() {
        let mut letters = Letters::default();
        for number in 1..=60 {
            assert!(letters.add(&letter(number)));
        }
        assert!(!letters.add(&letter(60)), "it is named already");
        assert_eq!((letters.count, letters.latest.len()), (60, NAMED));
        assert_eq!(letters.latest.first().map(|first| first.id), Some(Uuid::from_u128(11)));
    }
}
