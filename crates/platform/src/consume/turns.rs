//! Whose turn it is: events about one thing are handled one group after the other, so that they never undo each other's
//! work, and what waits for its turn is handled together. Waiting takes no place from anybody else.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lasegue_contracts::Envelope;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::HandlerError;

/// Events of one group handled together at most: one unit of work holds them all.
const TOGETHER: usize = 128;

/// An event that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) envelope: Envelope,
    /// Its place in its stream.
    pub(super) place: Option<u64>,
    /// Hears what became of it; dropped when it was not begun.
    pub(super) settled: oneshot::Sender<Result<(), HandlerError>>,
}

/// The groups that are being worked off, each with what waits behind.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Uuid, VecDeque<Waiting>>>);

impl Turns {
    /// Puts an event behind the others of its group. True when nobody works the group off: then the caller must, until
    /// [`Self::next`] gives nothing more.
    pub(super) fn enter(&self, group: Uuid, waiting: Waiting) -> bool {
        let mut groups = self.lock();
        let idle = !groups.contains_key(&group);
        groups.entry(group).or_default().push_back(waiting);
        idle
    }

    /// What is to be handled together next. Once it is nothing the group is idle.
    pub(super) fn next(&self, group: Uuid) -> Vec<Waiting> {
        let mut groups = self.lock();
        let Some(queue) = groups.get_mut(&group) else { return Vec::new() };
        let taken: Vec<_> = queue.drain(..queue.len().min(TOGETHER)).collect();
        if taken.is_empty() {
            groups.remove(&group);
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, VecDeque<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> Waiting {
        let (settled, _) = oneshot::channel();
        let envelope = Envelope {
            id: Uuid::nil(),
            event_type: String::new(),
            subject: String::new(),
            source: String::new(),
            time: String::new(),
            trace_parent: String::new(),
            payload: Vec::new().into(),
        };
        Waiting { envelope, place: None, settled }
    }

    #[test]
    fn one_works_a_group_off_and_the_others_only_wait() {
        let (turns, group, other) = (Turns::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(turns.enter(group, waiting()));
        assert!(!turns.enter(group, waiting()));
        assert!(turns.enter(other, waiting()), "another group is idle");
        assert_eq!(turns.next(group).len(), 2);
        assert!(!turns.enter(group, waiting()), "they are being handled still");
        assert_eq!(turns.next(group).len(), 1);
        assert_eq!(turns.next(group).len(), 0);
        assert!(turns.enter(group, waiting()), "the group became idle");
    }

    #[test]
    fn what_is_handled_together_is_bounded() {
        let (turns, group) = (Turns::default(), Uuid::from_u128(1));
        for _ in 0..=TOGETHER {
            turns.enter(group, waiting());
        }
        assert_eq!([turns.next(group).len(), turns.next(group).len()], [TOGETHER, 1]);
    }
}
