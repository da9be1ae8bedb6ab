//! Asks the readers what they have handled, until each row is proved, and publishes again what a reader lacks.
//!
//! A reader's inbox is the proof. It can lack what it had: its database was restored from a backup, or is a new one. So a
//! reader that was not asked before is asked for everything that is kept, also for what was proved long ago.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future;
use lasegue_contracts::topology::Consumer;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::super::outbox::{self, Sent};
use super::super::{Store, StoreError};
use crate::bus::{Bus, BusError, Proof};
use crate::chain;

/// Rows that a reader is asked for at once.
const PAGE: u64 = 500;
/// How often readers are asked, as long as they answer for everything.
const EVERY: Duration = Duration::from_secs(1);
/// How often when there is more to ask.
const AT_ONCE: Duration = Duration::from_millis(20);
/// How often a reader is asked although nothing is unproved, to notice one that was not asked before.
const GREET_EVERY: Duration = Duration::from_secs(5);
/// Processes of one reader that are known; after these all are strangers again.
const MOST_KNOWN: usize = 256;

/// Proves the rows of `store`'s outbox until `stop`.
pub(super) async fn prove(store: Store, bus: Arc<dyn Bus>, stop: CancellationToken) {
    let mut readers: Vec<_> = Consumer::of_sender(store.service()).map(Reader::new).collect();
    let mut more = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = store.clock().sleep(if more { AT_ONCE } else { EVERY }) => {}
        }
        let asking = readers.iter_mut().map(|reader| reader.ask(&store, &*bus));
        more = future::join_all(asking).await.into_iter().any(|more| more);
    }
}

/// What is known of a durable reader.
struct Reader {
    consumer: &'static Consumer,
    /// Its processes that have answered.
    known: HashSet<Uuid>,
    /// Behind which unproved row it is asked next.
    after: i64,
    /// Behind which proved row it is asked next, as long as there are some.
    proved: Option<i64>,
    greeted: DateTime<Utc>,
    silent: bool,
}

/// What a reader is asked for.
struct Question {
    unproved: Vec<Sent>,
    proved: Vec<Sent>,
}

/// Why a reader's answer changed nothing. Trying again may help.
#[derive(Debug, thiserror::Error)]
enum ProveError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reader {
    fn new(consumer: &'static Consumer) -> Self {
        let greeted = DateTime::<Utc>::MIN_UTC;
        Self { consumer, known: HashSet::new(), after: 0, proved: None, greeted, silent: false }
    }

    /// Asks once. True when there is more to ask at once.
    async fn ask(&mut self, store: &Store, bus: &dyn Bus) -> bool {
        match self.try_ask(store, bus).await {
            Ok(more) => {
                self.silent = false;
                more
            }
            Err(error) => {
                if !self.silent {
                    let (service, reader) = (store.service(), self.consumer.name);
                    tracing::warn!(%service, reader, error = chain(&error), "a reader does not say what it has handled: its events are kept");
                }
                self.silent = true;
                false
            }
        }
    }

    async fn try_ask(&mut self, store: &Store, bus: &dyn Bus) -> Result<bool, ProveError> {
        let question = self.question(store).await?;
        let now = store.clock().now();
        if question.is_empty() && self.greeted <= now && now < self.greeted + GREET_EVERY {
            return Ok(false);
        }
        let proof = bus.prove(store.service(), self.consumer, &question.events()).await?;
        self.greeted = now;
        let settled = self.settle(store, &question, &proof).await?;
        Ok(self.go_on(&question, proof.reader, settled))
    }

    async fn question(&self, store: &Store) -> Result<Question, StoreError> {
        let unproved = outbox::sent(store.reader(), self.consumer, false, self.after, PAGE).await?;
        let proved = match self.proved {
            Some(after) => outbox::sent(store.reader(), self.consumer, true, after, PAGE).await?,
            None => Vec::new(),
        };
        Ok(Question { unproved, proved })
    }

    /// Writes down what the answer proves, and owes again what it denies. False when that is nothing.
    async fn settle(&self, store: &Store, question: &Question, proof: &Proof) -> Result<bool, StoreError> {
        let (proved, lacking) = (question.proved_by(proof), question.lacked_by(proof));
        if !lacking.is_empty() {
            let (service, reader, events) = (store.service(), self.consumer.name, lacking.len());
            tracing::error!(%service, reader, events, "a reader lacks events that it had, as after a restore: they are published again");
        }
        if proved.is_empty() && lacking.is_empty() {
            return Ok(false);
        }
        let background = store.background();
        let writing = background.commit::<(), StoreError, _>(move |unit| {
            Box::pin(async move {
                outbox::mark_proved(unit.db(), proved, unit.now()).await?;
                outbox::owe_lacking(unit.db(), lacking).await?;
                Ok(())
            })
        });
        writing.await.map(|()| true)
    }

    /// Where to ask on. True when there is more to ask at once, and not when a reader has settled nothing of a page: it is
    /// busy with these.
    fn go_on(&mut self, question: &Question, answered: Uuid, settled: bool) -> bool {
        self.after = behind(&question.unproved).unwrap_or(0);
        self.proved = self.proved.and(behind(&question.proved));
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        if self.known.insert(answered) {
            self.proved = Some(0);
        }
        (self.after > 0 && settled) || self.proved.is_some()
    }
}

/// The last row of a full page: there may be more behind.
fn behind(page: &[Sent]) -> Option<i64> {
    page.last().filter(|_| page.len() as u64 == PAGE).map(|last| last.id)
}

impl Question {
    fn is_empty(&self) -> bool {
        self.unproved.is_empty() && self.proved.is_empty()
    }

    fn events(&self) -> Vec<Uuid> {
        self.unproved.iter().chain(&self.proved).map(|sent| sent.event_id).collect()
    }

    fn proved_by(&self, proof: &Proof) -> Vec<i64> {
        self.unproved.iter().filter(|sent| proof.handled.contains(&sent.event_id)).map(|sent| sent.id).collect()
    }

    /// What was not handled and will not come by itself.
    fn lacked_by(&self, proof: &Proof) -> Vec<i64> {
        let passed = |place: i64| u64::try_from(place).is_ok_and(|place| place <= proof.passed);
        let lacks = |sent: &&Sent| !proof.handled.contains(&sent.event_id) && sent.sequence.is_none_or(passed);
        self.unproved.iter().chain(&self.proved).filter(lacks).map(|sent| sent.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(id: i64) -> Sent {
        Sent { id, event_id: Uuid::from_u128(id.unsigned_abs().into()), sequence: Some(id) }
    }

    #[test]
    fn what_may_still_come_is_neither_proved_nor_lacking() {
        let question = Question { unproved: vec![sent(1), sent(2), sent(3)], proved: vec![sent(4)] };
        let handled = [Uuid::from_u128(1)].into();
        let proof = Proof { reader: Uuid::nil(), handled, passed: 2 };
        assert_eq!((question.proved_by(&proof), question.lacked_by(&proof)), (vec![1], vec![2]));
        let passed = Proof { passed: u64::MAX, ..proof };
        assert_eq!(question.lacked_by(&passed), [2, 3, 4]);
    }

    #[test]
    fn a_process_that_was_not_asked_before_is_asked_for_everything() {
        let mut reader = Reader::new(&lasegue_contracts::topology::ALERTING_VISITS);
        let nothing = Question { unproved: Vec::new(), proved: Vec::new() };
        assert!(reader.go_on(&nothing, Uuid::from_u128(1), false));
        assert!(!reader.go_on(&nothing, Uuid::from_u128(1), false), "it was asked for all there is");
        assert!(reader.go_on(&nothing, Uuid::from_u128(2), false));
    }

    #[test]
    fn a_reader_that_is_busy_is_not_asked_for_more_at_once() {
        let mut reader = Reader::new(&lasegue_contracts::topology::ALERTING_VISITS);
        reader.known.insert(Uuid::nil());
        let page = Question { unproved: (1..=500).map(sent).collect(), proved: Vec::new() };
        assert!(!reader.go_on(&page, Uuid::nil(), false));
        assert!(reader.go_on(&page, Uuid::nil(), true));
        assert_eq!(reader.after, 500);
    }
}
