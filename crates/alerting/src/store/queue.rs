//! Queueing pages: what a plan wants sent, and tests.

use std::collections::BTreeMap;

use lasegue_platform::store::{StoreError, Unit};
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;

use super::deliveries::{ActiveModel, Entity};
use super::supersede::{Start, supersede};
use super::{json, pages, test_pages};
use crate::delivery::DeliveryState;
use crate::ids::{CaseId, ContactName, PageId};
use crate::plan::{PageOrder, Plan};
use crate::tone::Tone;

/// Queues the pages of a plan in place of what they supersede.
pub(super) async fn pages_of(unit: &Unit, plan: &Plan) -> Result<(), StoreError> {
    for order in &plan.pages {
        let start = supersede(unit, plan.case.id, order).await?;
        let page = pages::ensure(unit, &plan.case, &order.contact).await?;
        Entity::insert(queued(unit, plan.case.id, page, order, start)?).exec_without_returning(unit.db()).await?;
    }
    Ok(())
}

/// Queues a page that only tests whether pages reach `contact`, or says when the next one may be.
pub async fn test(unit: &Unit, contact: &ContactName) -> Result<Result<PageId, ChronoDateTimeUtc>, StoreError> {
    if let Err(again_at) = test_pages::claim(unit, contact).await? {
        return Ok(Err(again_at));
    }
    let page = pages::fresh(unit, contact).await?;
    let order = PageOrder { contact: contact.clone(), lines: BTreeMap::new() };
    let start = Start::fresh(unit.now());
    Entity::insert(queued(unit, CaseId::OPERATOR, page, &order, start)?).exec_without_returning(unit.db()).await?;
    Ok(Ok(page))
}

fn queued(unit: &Unit, case: CaseId, page: PageId, order: &PageOrder, start: Start) -> Result<ActiveModel, StoreError> {
    Ok(ActiveModel {
        id: ActiveValue::Set(unit.id()),
        page_id: ActiveValue::Set(page.0),
        case_id: ActiveValue::Set(case.0),
        contact: ActiveValue::Set(order.contact.0.clone()),
        lines: ActiveValue::Set(json(&order.lines)?),
        emergency: ActiveValue::Set(order.headline().is_some_and(|line| line.tone == Tone::Emergency)),
        state: ActiveValue::Set(DeliveryState::Queued.word().to_owned()),
        channel: ActiveValue::Set(start.channel),
        channel_since: ActiveValue::Set(start.channel_since),
        attempts: ActiveValue::Set(0),
        possible_duplicate: ActiveValue::Set(false),
        unreached_since: ActiveValue::Set(None),
        recalled: ActiveValue::Set(false),
        owner: ActiveValue::Set(None),
        wake_at: ActiveValue::Set(Some(unit.now())),
        cause: ActiveValue::Set(None),
        created_at: ActiveValue::Set(unit.now()),
        waits_since: ActiveValue::Set(Some(start.waits_since)),
        repeats: ActiveValue::Set(start.repeats && order.repeats()),
    })
}
