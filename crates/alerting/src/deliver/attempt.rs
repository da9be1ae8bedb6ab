//! One attempt to send a page, and what is saved of it.

use lasegue_contracts::Lane;
use lasegue_platform::store::StoreError;

use super::Sender;
use crate::channel::Failure;
use crate::delivery::{DeliveryState, Failed, Next};
use crate::messages;
use crate::on_call::Contact;
use crate::page::Page;
use crate::store;
use crate::store::deliveries::{self, Claimed};

impl Sender {
    /// Sends a page over its channel and saves the outcome. A lease that was lost meanwhile leaves it to its new owner.
    pub(super) async fn attempt(&self, claimed: Claimed) -> Result<(), StoreError> {
        let contact = self.on_call.contact(&claimed.row.contact());
        let index = usize::try_from(claimed.row.channel).unwrap_or(usize::MAX);
        let Some((contact, address)) = contact.and_then(|contact| Some((contact, contact.channels.get(index)?))) else {
            return self.gone(claimed).await;
        };
        let channel = self.channels.of(address);
        let page = Page::new(&claimed.attempt, self.on_call.link_base(), self.store.clock().now());
        let outcome = channel.send(&page).await;
        let word = outcome.map_or_else(Failure::word, |()| "sent");
        metrics::counter!("page_attempts_total", "channel" => channel.name(), "outcome" => word).increment(1);
        match outcome {
            Ok(()) => self.delivered(claimed, channel.name(), channel.receipt().into()).await,
            Err(failure) => self.failed(claimed, channel.name(), failure, contact).await,
        }
    }

    async fn delivered(&self, claimed: Claimed, channel: &'static str, state: DeliveryState) -> Result<(), StoreError> {
        let took = self.store.clock().now() - claimed.row.created_at;
        metrics::histogram!("page_delivery_seconds", "channel" => channel).record(took.as_seconds_f64());
        tracing::info!(page = %claimed.attempt.page, attempt = claimed.attempt.number, channel, "a page was delivered");
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    if deliveries::settle(unit, &claimed.row, state, None).await? {
                        let event = messages::page_delivered(&claimed, channel, unit.now());
                        unit.publish(Lane::Live, claimed.row.case_id, &event).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn failed(
        &self,
        claimed: Claimed,
        channel: &'static str,
        failure: Failure,
        contact: &Contact,
    ) -> Result<(), StoreError> {
        tracing::warn!(page = %claimed.attempt.page, attempt = claimed.attempt.number, channel, cause = failure.word(), "a page did not get through");
        let failed = Failed {
            failure,
            channel: claimed.row.channel.try_into().unwrap_or(usize::MAX),
            channels: contact.channels.len(),
            channel_since: claimed.row.channel_since,
            created_at: claimed.row.created_at,
        };
        let jitter = u32::try_from(self.store.random().below(1000)).unwrap_or_default();
        let next = failed.next(self.store.clock().now(), jitter);
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    let held = deliveries::try_again(unit, &claimed.row, &failed, next).await?;
                    if held && next == Next::Nothing {
                        store::send_unreached(unit, &claimed.row).await?;
                    }
                    if held && next.leaves_channel() {
                        let event = messages::page_failed(&claimed, channel, failure, unit.now());
                        unit.publish(Lane::Live, claimed.row.case_id, &event).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The contact or its channel is no longer in the set-up.
    async fn gone(&self, claimed: Claimed) -> Result<(), StoreError> {
        tracing::warn!(page = %claimed.attempt.page, "a page's contact is no longer in the on-call set-up");
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    deliveries::settle(unit, &claimed.row, DeliveryState::Failed, Some("no-contact")).await?;
                    store::send_unreached(unit, &claimed.row).await
                })
            })
            .await
    }
}
