//! After a change of the protocol: every episode is evaluated again, a few at a time, on the bulk lane.
//!
//! The work left is whatever another protocol evaluated last, found by index; so it goes on after a restart, on any
//! replica, and is never done twice.

use async_trait::async_trait;
use lasegue_platform::background;
use lasegue_platform::consume::HandlerError;
use lasegue_platform::store::timers::{OnTimer, Timer};
use lasegue_platform::store::{Store, StoreError, Unit, retry_conflicts};
use uuid::Uuid;

use crate::cause::Cause;
use crate::evaluation;
use crate::history::{Changed, History};
use crate::limits::REASSESSED_AT_ONCE;
use crate::protocols::Protocols;
use crate::store::{corrupt, episodes, protocols};

/// The one kind of timer here; its key is the hash of the protocol that was activated.
const REASSESS: &str = "reassess";

/// Lets the re-evaluation begin with the commit.
pub(crate) async fn begin(unit: &mut Unit, sha256: &str) -> Result<(), StoreError> {
    let now = unit.now();
    unit.set_timer(REASSESS, sha256, now).await
}

/// Evaluates again what an older protocol evaluated last.
#[derive(Clone, Debug)]
pub(crate) struct Reassessor {
    pub(crate) store: Store,
    pub(crate) protocols: Protocols,
}

impl Reassessor {
    /// Evaluates an episode again, unless `active` has done so meanwhile.
    async fn reassess(&self, episode: Uuid, active: &str) -> Result<(), StoreError> {
        let history = History::read(self.store.reader(), episode).await?;
        let as_it_is = |history: History| {
            let done = history.row.protocol.as_deref() == Some(active);
            Ok((!done).then_some(Changed { history, pieces: Vec::new() }))
        };
        let evaluated: Result<_, StoreError> =
            evaluation::evaluate((&self.store, &self.protocols), history, as_it_is).await;
        let Some(evaluation) = evaluated? else { return Ok(()) };
        self.store.commit(move |unit| Box::pin(evaluation::commit(unit, evaluation, Cause::Rules))).await
    }

    /// False when nothing is left to do.
    async fn some(&self) -> Result<bool, StoreError> {
        let active = protocols::active(self.store.reader()).await?;
        let active = active.ok_or_else(|| corrupt("no protocol is active".to_owned()))?;
        let episodes = episodes::ruled_by_others(self.store.reader(), &active, REASSESSED_AT_ONCE).await?;
        for episode in &episodes {
            retry_conflicts(|| self.reassess(*episode, &active)).await?;
        }
        Ok(!episodes.is_empty())
    }
}

#[async_trait]
impl OnTimer for Reassessor {
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError> {
        let reassessor = self.clone();
        let more = background::run(async move { reassessor.some().await }).await?;
        let timer = timer.clone();
        let settled: Result<(), StoreError> = self
            .store
            .commit(move |unit| {
                Box::pin(async move {
                    if unit.claim_timer(&timer).await? && more {
                        begin(unit, &timer.key).await?;
                    }
                    Ok(())
                })
            })
            .await;
        Ok(settled?)
    }
}
