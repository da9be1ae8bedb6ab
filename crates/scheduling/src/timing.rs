//! Noticing that a window has opened or closed.

use async_trait::async_trait;
use lasegue_contracts::event::Lane;
use lasegue_platform::consume::HandlerError;
use lasegue_platform::store::timers::{OnTimer, Timer};
use lasegue_platform::store::{Store, StoreError, Unit};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::messages;
use crate::plan::{Plan, State};
use crate::store::plans;
use crate::worklist;

/// The one kind of timer here: a plan's state changes.
const VISIT: &str = "visit";

/// Sets the timer of an episode's plan to its next change, or cancels it.
pub(crate) async fn set(unit: &mut Unit, episode: Uuid, plan: &Plan) -> Result<(), StoreError> {
    let key = episode.to_string();
    match plan.next_change(unit.now()) {
        Some(change) => unit.set_timer(VISIT, &key, change).await,
        None => unit.cancel_timer(VISIT, &key).await,
    }
}

/// Fires when a window opens or closes.
pub(crate) struct Timing {
    pub(crate) store: Store,
}

#[async_trait]
impl OnTimer for Timing {
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError> {
        let timer = timer.clone();
        let fired: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    if unit.claim_timer(&timer).await? {
                        let episode = timer.key.parse().unwrap_or_default();
                        move_on(unit, episode).await?;
                    }
                    Ok(())
                })
            })
            .await;
        Ok(fired?)
    }
}

async fn move_on(unit: &mut Unit, episode: Uuid) -> Result<(), StoreError> {
    let Some(mut row) = plans::Entity::find_by_id(episode).one(unit.db()).await? else { return Ok(()) };
    let (plan, before, now) = (row.plan(), row.state(), unit.now());
    let after = plan.state(now);
    set(unit, episode, &plan).await?;
    if after == before {
        return Ok(());
    }
    after.name().clone_into(&mut row.state);
    row.rank = worklist::rank(row.severity.as_deref(), after);
    let read = Some(row.revision);
    if !plans::replace(unit.db(), row.clone(), read).await? {
        return Err(StoreError::Conflict);
    }
    match after {
        State::Due => unit.publish(Lane::Live, episode, &messages::due(&row, now)).await,
        State::Overdue => unit.publish(Lane::Live, episode, &messages::overdue(&row, now)).await,
        State::Planned | State::Unplanned => Ok(()),
    }
}
