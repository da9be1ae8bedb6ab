//! Taking a result: its plan replaces an older one.

use async_trait::async_trait;
use lasegue_contracts::Envelope;
use lasegue_contracts::assessment::AssessmentCompleted;
use lasegue_contracts::event::Lane;
use lasegue_platform::consume::{Handler, HandlerError};
use lasegue_platform::store::{Store, StoreError, Unit, retry_conflicts};
use uuid::Uuid;

use crate::messages::{self, Completed};
use crate::plan::State;
use crate::store::{past_plans, plans};
use crate::timing;

/// Takes the results of one consumer.
pub(crate) struct Planner {
    pub(crate) store: Store,
    pub(crate) consumer: &'static str,
    pub(crate) lane: Lane,
}

#[async_trait]
impl Handler for Planner {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let completed = Completed::read(&envelope.open::<AssessmentCompleted>()?)?;
        Ok(retry_conflicts(|| self.take(envelope.id, completed.clone())).await?)
    }
}

impl Planner {
    async fn take(&self, event: Uuid, completed: Completed) -> Result<(), StoreError> {
        let (consumer, lane) = (self.consumer, self.lane);
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    if unit.first_time(consumer, event).await? {
                        plan(unit, &completed, lane).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

async fn plan(unit: &mut Unit, completed: &Completed, lane: Lane) -> Result<(), StoreError> {
    let held = plans::hold(unit, completed.episode).await?;
    if held.as_ref().is_some_and(|held| held.revision >= completed.revision) {
        return Ok(());
    }
    let state = completed.plan.state(unit.now());
    let same = match &held {
        Some(held) => (held.plan()? == completed.plan).then_some(held),
        None => None,
    };
    let row = plans::Model::of(completed, state, same.map_or(unit.now(), |same| same.planned_at))?;
    plans::write(unit, held.as_ref(), &row).await?;
    let told = match same {
        Some(same) => same.state()?,
        None => begin(unit, &row, lane).await?,
    };
    timing::tell(unit, &row, told).await
}

/// Tells of a new plan, and says which state of it everybody knows then.
async fn begin(unit: &mut Unit, row: &plans::Model, lane: Lane) -> Result<State, StoreError> {
    past_plans::keep(unit.db(), row).await?;
    unit.publish(Lane::Live, row.episode_id, &messages::planned(row)).await?;
    timing::set(unit, row).await?;
    match lane {
        Lane::Live => Ok(State::Planned),
        // An import plans many visits of the past at once: the worklist shows them, and nobody is told of each.
        Lane::Bulk => row.state(),
    }
}
