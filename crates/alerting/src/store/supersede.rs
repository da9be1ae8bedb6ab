//! A newer page about an alert takes the place of what its contact has not been sent of that alert yet: a pager that
//! comes back gets the latest alone. What is under way may end.

use lasegue_platform::store::{StoreError, Unit};
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;

use super::deliveries::{ActiveModel, Column, Entity, Model, change_unclaimed, recall_one};
use super::json;
use crate::ids::CaseId;
use crate::plan::PageOrder;

/// Where a delivery begins: where those left off whose place it takes, so that each channel of the contact has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The place of the channel in the contact's list.
    pub(super) channel: i32,
    /// When that channel's turn began.
    pub(super) channel_since: ChronoDateTimeUtc,
    /// Since when the contact has got nothing of what it is about.
    pub(super) waits_since: ChronoDateTimeUtc,
    /// Whether the contact has got all that was queued before.
    pub(super) repeats: bool,
}

impl Start {
    /// At the first channel.
    pub(super) const fn fresh(now: ChronoDateTimeUtc) -> Self {
        Self { channel: 0, channel_since: now, waits_since: now, repeats: true }
    }

    /// No earlier than where `row` is.
    fn after(self, row: &Model) -> Self {
        let waits_since = self.waits_since.min(row.waits_since());
        let (channel, channel_since) = match row.channel.cmp(&self.channel) {
            std::cmp::Ordering::Less => (self.channel, self.channel_since),
            std::cmp::Ordering::Equal => (self.channel, self.channel_since.min(row.channel_since)),
            std::cmp::Ordering::Greater => (row.channel, row.channel_since),
        };
        Self { channel, channel_since, waits_since, repeats: self.repeats && row.repeats }
    }
}

/// Takes what `order` is about out of what its contact has not been sent yet, and says where its delivery begins.
pub(super) async fn supersede(unit: &Unit, case: CaseId, order: &PageOrder) -> Result<Start, StoreError> {
    let waiting = Entity::find().filter(Column::CaseId.eq(case.0)).filter(Column::Contact.eq(&order.contact.0));
    let waiting = waiting.filter(Column::WakeAt.is_not_null()).filter(Column::Recalled.eq(false));
    let mut start = Start::fresh(unit.now());
    for row in waiting.all(unit.db()).await? {
        if take_out(unit, &row, order).await? {
            start = start.after(&row);
        }
    }
    Ok(start)
}

/// False when the row is about none of what the order is about.
async fn take_out(unit: &Unit, row: &Model, order: &PageOrder) -> Result<bool, StoreError> {
    let mut left = row.lines()?;
    let before = left.len();
    left.retain(|alert, _| !order.lines.contains_key(alert));
    if left.len() == before {
        return Ok(false);
    }
    if left.is_empty() {
        recall_one(unit, row, Some("superseded")).await?;
    } else {
        change_unclaimed(unit, row, ActiveModel { lines: ActiveValue::Set(json(&left)?), ..Default::default() })
            .await?;
    }
    Ok(true)
}
