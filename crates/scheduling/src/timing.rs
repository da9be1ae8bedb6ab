//! Noticing that a window has opened or closed, and telling of it once.

use async_trait::async_trait;
use lasegue_contracts::event::Lane;
use lasegue_platform::consume::HandlerError;
use lasegue_platform::store::timers::{OnTimer, Timer};
use lasegue_platform::store::{Store, StoreError, Unit};
use uuid::Uuid;

use crate::messages;
use crate::plan::State;
use crate::store::plans;

/// The one kind of timer here: a plan's state changes. Its key is the episode's id.
const VISIT: &str = "visit";

/// Sets the timer of a plan to its next change, or cancels it.
pub(crate) async fn set(unit: &mut Unit, row: &plans::Model) -> Result<(), StoreError> {
    let key = row.episode_id.to_string();
    match row.plan()?.next_change(unit.now()) {
        Some(change) => unit.set_timer(VISIT, &key, change).await,
        None => unit.cancel_timer(VISIT, &key).await,
    }
}

/// Tells of every state that the row has come to since `told`.
pub(crate) async fn tell(unit: &mut Unit, row: &plans::Model, told: State) -> Result<(), StoreError> {
    let Some(window) = row.plan()?.window() else { return Ok(()) };
    for state in told.until(row.state()?) {
        match state {
            State::Due => {
                unit.publish(Lane::Live, row.episode_id, &messages::due(row, window.opens())).await?;
            }
            State::Overdue => {
                unit.publish(Lane::Live, row.episode_id, &messages::overdue(row, window.closes())).await?;
            }
            State::Unplanned | State::Planned => {}
        }
    }
    Ok(())
}

/// Fires when a window opens or closes.
pub(crate) struct Timing {
    pub(crate) store: Store,
}

#[async_trait]
impl OnTimer for Timing {
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError> {
        let episode: Uuid = timer.key.parse().map_err(HandlerError::give_up)?;
        let timer = timer.clone();
        let fired: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    if unit.claim_timer(&timer).await? {
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
    let Some(held) = plans::hold(unit, episode).await? else { return Ok(()) };
    let (plan, told) = (held.plan()?, held.state()?);
    let row = held.clone().in_state(plan.state(unit.now()));
    plans::write(unit, Some(&held), &row).await?;
    set(unit, &row).await?;
    tell(unit, &row, told).await
}
