//! Messages that could not be handled: kept with their bytes, and an operator told, in one commit.
//!
//! One that can never be understood is set aside. One that goes on failing is told of once and tried again still.

use lasegue_contracts::{event, platform};
use uuid::Uuid;

use super::{Consuming, HandlerError};
use crate::bus::Message;
use crate::signed::Forged;
use crate::store::dead_letters::{self, Kept, MOST_OPEN, Model, State};
use crate::store::{StoreError, Unit};
use crate::wire;

/// Tries after which an operator is told that an event goes on failing: with the waits between them, after two to three
/// minutes.
pub(super) const TELL_AFTER: u32 = 13;

/// Who letters are kept for of what nobody who may send it has signed, where others name a consumer. So none of them is
/// taken for an event that was handled or given up, and none can be handled after all.
const FORGED: &str = "signatures";
/// Such letters of one service that may be open.
const MOST_FORGED: u64 = 100;

/// Keeps a letter, and tells an operator when that is news.
pub(crate) async fn keep(unit: &mut Unit, letter: Model) -> Result<Kept, StoreError> {
    let notice = notice(&letter);
    let episode = letter.episode().unwrap_or_default();
    let kept = dead_letters::keep(unit.db(), letter).await?;
    if kept == Kept::New {
        unit.publish(event::Lane::Live, episode, &notice).await?;
    }
    Ok(kept)
}

fn notice(letter: &Model) -> platform::MessageDeadLettered {
    platform::MessageDeadLettered {
        episode_id: letter.episode().map(|id| id.to_string()).unwrap_or_default(),
        dead_letter_id: letter.id.to_string(),
        consumer: letter.consumer.clone(),
        subject: letter.subject.clone(),
        event_type: letter.event_type().to_owned(),
        reason: letter.reason.clone(),
        at: Some(wire::timestamp(letter.created_at)),
        event_id: letter.event_id().to_owned(),
        tries: letter.tries.unsigned_abs(),
    }
}

impl Consuming {
    /// Keeps `message` as a dead letter.
    pub(super) async fn set_aside(&self, message: &Message, error: &HandlerError) -> Result<(), HandlerError> {
        let (consumer, subject, reason) = (self.consumer.name, &message.subject, error.chain());
        tracing::error!(consumer, subject, reason, "a message was set aside as a dead letter");
        let (id, kept) = self.keep(message, reason, 0).await?;
        match kept {
            Kept::Full => Err(HandlerError::retry(format!(
                "{MOST_OPEN} dead letters are open: settle some with `lasegue dead-letters`, and this one is kept, too"
            ))),
            Kept::Dropped => Ok(()),
            Kept::New | Kept::Known => {
                metrics::counter!("bus_dead_letters_total", "consumer" => consumer).increment(1);
                self.handler.set_aside(message, id).await
            }
        }
    }

    /// Keeps `message` as the letter of one that nobody who may send it has signed, and tells an operator. Once there are
    /// [`MOST_FORGED`] of them, more are only counted: whoever forges events could forge any number.
    pub(super) async fn refuse(&self, message: &Message, forged: &Forged) -> Result<(), HandlerError> {
        let (consumer, subject) = (self.consumer.name, &message.subject);
        let reason = format!("{consumer} does not take it: {}", crate::chain(forged));
        tracing::error!(consumer, subject, reason, "a message was refused that nobody who may send it has signed");
        metrics::counter!("bus_refused_total", "consumer" => consumer).increment(1);
        let message = message.clone();
        let keeping: Result<Kept, StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    if dead_letters::count_open_of(unit.db(), FORGED).await? >= MOST_FORGED {
                        return Ok(Kept::Full);
                    }
                    let id = dead_letters::id_of_forged(consumer, &message);
                    let letter = Model { id, ..Model::of(FORGED, &message, &reason, 0, unit.now()) };
                    keep(unit, letter).await
                })
            })
            .await;
        keeping.map(drop).map_err(HandlerError::from)
    }

    /// Tells an operator, once, that a message goes on failing. True when an operator gave it up.
    pub(super) async fn is_given_up(&self, message: &Message, error: &HandlerError, tries: u32) -> bool {
        let consumer = self.consumer.name;
        match self.keep(message, error.chain(), tries).await {
            Ok((_, kept)) => {
                if kept == Kept::New {
                    metrics::counter!("bus_failing_total", "consumer" => consumer).increment(1);
                }
                kept == Kept::Dropped
            }
            Err(error) => {
                let error = crate::chain(&error);
                tracing::error!(consumer, error, "nobody could be told that an event goes on failing");
                false
            }
        }
    }

    /// A message that had gone on failing was handled after all.
    pub(super) async fn went_well(&self, message: &Message) {
        let id = dead_letters::id_of(self.consumer.name, message);
        let settled: Result<bool, StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    Ok(dead_letters::settle(unit.db(), id, [State::Failing], State::Handled, now).await?)
                })
            })
            .await;
        if let Err(error) = settled {
            let (consumer, error) = (self.consumer.name, crate::chain(&error));
            tracing::warn!(consumer, error, "an event that went well after all is still listed as failing");
        }
    }

    async fn keep(&self, message: &Message, reason: String, tries: u32) -> Result<(Uuid, Kept), StoreError> {
        let (consumer, message) = (self.consumer.name, message.clone());
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    let letter = Model::of(consumer, &message, &reason, tries, unit.now());
                    Ok((letter.id, keep(unit, letter).await?))
                })
            })
            .await
    }
}
