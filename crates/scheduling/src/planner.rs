//! Taking a result: its plan replaces an older one.

use async_trait::async_trait;
use lasegue_contracts::Envelope;
use lasegue_contracts::assessment::AssessmentCompleted;
use lasegue_contracts::event::Lane;
use lasegue_platform::consume::{Handler, HandlerError};
use lasegue_platform::store::{Store, StoreError, Unit, retry_conflicts};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::messages::{self, Completed};
use crate::store::{past_plans, plans};
use crate::timing;
use crate::worklist;

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
                        plan(unit, completed, lane).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

async fn plan(unit: &mut Unit, completed: Completed, lane: Lane) -> Result<(), StoreError> {
    let before = plans::Entity::find_by_id(completed.episode).one(unit.db()).await?;
    if before.as_ref().is_some_and(|before| before.revision >= completed.revision) {
        return Ok(());
    }
    let (read, unchanged) = (
        before.as_ref().map(|before| before.revision),
        before.as_ref().is_some_and(|before| before.plan() == completed.plan),
    );
    let row = row(completed, unit.now());
    if !plans::replace(unit.db(), row.clone(), read).await? {
        return Err(StoreError::Conflict);
    }
    if !unchanged {
        past_plans::keep(unit.db(), &row).await?;
        unit.publish(lane, row.episode_id, &messages::planned(&row)).await?;
        timing::set(unit, row.episode_id, &row.plan()).await?;
    }
    Ok(())
}

fn row(completed: Completed, now: chrono::DateTime<chrono::Utc>) -> plans::Model {
    let Completed { episode, revision, plan, time_zone, severity } = completed;
    let state = plan.state(now);
    plans::Model {
        episode_id: episode,
        revision,
        earliest: plan.window.map(|window| window.earliest),
        latest: plan.window.map(|window| window.latest),
        time_zone,
        state: state.name().to_owned(),
        severity: severity.map(str::to_owned),
        rank: worklist::rank(severity, state),
        sort_day: worklist::sort_day(&plan),
        kind: plan.kind,
        planned_at: now,
    }
}
