//! One attempt to send a page, and what is saved of it.

use lasegue_contracts::Lane;
use lasegue_platform::store::StoreError;

use super::Sender;
use crate::channel::{self, Failure};
use crate::delivery::{DeliveryState, Failed};
use crate::messages;
use crate::on_call::{Address, Contact};
use crate::page::Page;
use crate::store;
use crate::store::deliveries::{self, Claimed};

impl Sender {
    /// Sends a page over its channel and saves the outcome. A lease that was lost meanwhile leaves it to its new owner.
    pub(super) async fn attempt(&self, mut claimed: Claimed) -> Result<(), StoreError> {
        let contact = self.on_call.contact(&claimed.row.contact());
        let Some((contact, (place, address))) =
            contact.and_then(|contact| Some((contact, turn_of(contact, &claimed)?)))
        else {
            return self.gone(claimed).await;
        };
        claimed.row.channel = place;
        let channel = self.channels.of(address);
        let page = Page::new(&claimed.attempt, self.on_call.link_base(), self.store.clock().now());
        match channel::attempt(&*channel, &page).await {
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
            unreached: claimed.row.unreached_since.is_some(),
        };
        let jitter = u32::try_from(self.store.random().below(1000)).unwrap_or_default();
        let next = failed.next(self.store.clock().now(), jitter);
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    let held = deliveries::try_again(unit, &claimed.row, &failed, next).await?;
                    if held && failed.is_news(next) {
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

    /// The contact is no longer in the set-up.
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

/// The channel whose turn it is, with its place; the first, where the set-up no longer has that one.
fn turn_of<'a>(contact: &'a Contact, claimed: &Claimed) -> Option<(i32, &'a Address)> {
    let turn = usize::try_from(claimed.row.channel).ok().and_then(|place| contact.channels.get(place));
    turn.map(|address| (claimed.row.channel, address)).or_else(|| Some((0, contact.channels.first()?)))
}
