//! Messages that can never be handled: kept with their bytes, and an operator told, in one commit.

use chrono::{DateTime, Utc};
use lasegue_contracts::{event, platform};
use uuid::Uuid;

use super::{Consuming, HandlerError};
use crate::bus::Message;
use crate::store::{StoreError, dead_letters};
use crate::wire;

impl Consuming {
    /// Keeps `message` as a dead letter.
    pub(super) async fn set_aside(&self, message: &Message, error: &HandlerError) -> Result<(), HandlerError> {
        let (consumer, kept, reason) = (self.consumer.name, message.clone(), error.chain());
        tracing::error!(consumer, subject = kept.subject, reason, "a message was set aside as a dead letter");
        metrics::counter!("bus_dead_letters_total", "consumer" => consumer).increment(1);
        let dead_letter = self
            .store
            .commit::<_, StoreError, _>(move |unit| {
                Box::pin(async move {
                    let id = unit.id();
                    dead_letters::insert(unit.db(), id, consumer, &kept, &reason, unit.now()).await?;
                    let episode = event::episode_of_subject(&kept.subject);
                    let notice = notice(id, consumer, &kept, reason, episode, unit.now());
                    unit.publish(event::Lane::Live, episode.unwrap_or_default(), &notice).await?;
                    Ok(id)
                })
            })
            .await?;
        self.handler.set_aside(message, dead_letter).await
    }
}

fn notice(
    id: Uuid,
    consumer: &str,
    message: &Message,
    reason: String,
    episode: Option<Uuid>,
    now: DateTime<Utc>,
) -> platform::MessageDeadLettered {
    let event_type = message.headers.iter().find(|(name, _)| name == lasegue_contracts::envelope::header::TYPE);
    platform::MessageDeadLettered {
        episode_id: episode.map(|id| id.to_string()).unwrap_or_default(),
        dead_letter_id: id.to_string(),
        consumer: consumer.to_owned(),
        subject: message.subject.clone(),
        event_type: event_type.map(|(_, value)| value.clone()).unwrap_or_default(),
        reason,
        at: Some(wire::timestamp(now)),
    }
}
