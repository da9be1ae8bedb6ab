//! The shell around the decisions: reads a case, lets a pure function decide, saves the plan in one commit and wakes the
//! sender. If somebody else changed the case meanwhile, it is read and decided again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lasegue_platform::store::timers::Timer;
use lasegue_platform::store::{AsStoreError, Store, StoreError, Unit, retry_conflicts};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::case::Case;
use crate::deliver::Sender;
use crate::escalation::command::{self, Command, Refused};
use crate::ids::{CaseId, ContactName, PageId};
use crate::on_call::OnCall;
use crate::plan::{Happening, Plan};
use crate::store::{self, Loaded, queue};

/// What makes a decision necessary; it is ticked off in the commit that saves the decision.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// An event, by consumer and id.
    Event(&'static str, Uuid),
    /// A timer that fired.
    Timer(Timer),
    /// A person, or something that may happen twice without harm. A decision that changes nothing is not saved at all.
    Request,
    /// The auditor, who sets the case's timer anew in any case.
    Audit,
}

/// What became of a wish for a test page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tested {
    /// It is on its way.
    Queued(PageId),
    /// The set-up has no such contact.
    NoContact,
    /// The contact was sent one just before; the next may follow then.
    TooSoon(DateTime<Utc>),
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AsStoreError for CommandError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Refused(_) => None,
        }
    }
}

/// Alerting at work.
#[derive(Debug)]
pub struct Alerting {
    store: Store,
    on_call: Arc<OnCall>,
    sender: Arc<Sender>,
    /// Wakes the heart when a sign of life has gone through the timers.
    beat: Notify,
}

impl Alerting {
    /// Alerting over its store, its on-call set-up and its sender.
    pub fn new(store: Store, on_call: Arc<OnCall>, sender: Arc<Sender>) -> Self {
        Self { store, on_call, sender, beat: Notify::new() }
    }

    /// Claims the timer of a sign of life, which may then be given.
    pub async fn let_beat(&self, timer: Timer) -> Result<(), StoreError> {
        let claimed = self.store.commit(move |unit| Box::pin(async move { unit.claim_timer(&timer).await }));
        let claimed: Result<bool, StoreError> = claimed.await;
        if claimed? {
            self.beat.notify_one();
        }
        Ok(())
    }

    /// Resolves when a sign of life may be given.
    pub async fn beats(&self) {
        self.beat.notified().await;
    }

    /// Where alerts are kept.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Who can be paged.
    pub fn on_call(&self) -> &OnCall {
        &self.on_call
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.store.clock().now()
    }

    /// Decides about a case and saves what follows. A trigger that was ticked off before changes nothing.
    pub async fn decide(
        &self,
        case: CaseId,
        trigger: &Trigger,
        decision: impl Fn(Case, &OnCall, DateTime<Utc>) -> Plan,
    ) -> Result<(), StoreError> {
        let decision = |case, on_call: &OnCall, now| Ok(decision(case, on_call, now));
        self.try_decide(case, trigger, decision).await.map(drop)
    }

    /// Does what a person wants; the case as it is afterwards.
    pub async fn command(&self, case: CaseId, command: &Command) -> Result<Case, CommandError> {
        let decision = |case, on_call: &OnCall, now| Ok(command::decide(case, command.clone(), on_call, now)?);
        self.try_decide(case, &Trigger::Request, decision).await
    }

    /// Sends a contact a page that only tests whether pages arrive, unless it was sent one just before.
    pub async fn test_page(&self, contact: ContactName) -> Result<Tested, StoreError> {
        if self.on_call.contact(&contact).is_none() {
            return Ok(Tested::NoContact);
        }
        let queued = self
            .store
            .commit::<_, StoreError, _>(move |unit| Box::pin(async move { queue::test(unit, &contact).await }));
        match queued.await? {
            Ok(page) => {
                self.sender.wake();
                Ok(Tested::Queued(page))
            }
            Err(again_at) => Ok(Tested::TooSoon(again_at)),
        }
    }

    async fn try_decide<E: From<StoreError> + AsStoreError>(
        &self,
        case: CaseId,
        trigger: &Trigger,
        decision: impl Fn(Case, &OnCall, DateTime<Utc>) -> Result<Plan, E>,
    ) -> Result<Case, E> {
        retry_conflicts(|| async {
            let before = store::load(self.store.reader(), case).await?;
            let plan = decision(before.case.clone(), &self.on_call, self.now())?;
            let (after, happened, pages) = (plan.case.clone(), plan.happened.clone(), plan.pages.len());
            if self.save(before, plan, trigger.clone()).await? {
                happened.iter().for_each(tell);
                if pages > 0 {
                    self.sender.wake();
                }
            }
            Ok(after)
        })
        .await
    }

    /// False when nothing is saved: the trigger was ticked off before, or a request changes nothing.
    async fn save(&self, before: Loaded, plan: Plan, trigger: Trigger) -> Result<bool, StoreError> {
        if matches!(trigger, Trigger::Request) && plan.changes_nothing(&before.case) {
            return Ok(false);
        }
        self.store
            .commit(move |unit| {
                Box::pin(async move {
                    let first = tick_off(unit, &trigger).await?;
                    if first {
                        store::save(unit, &before, &plan).await?;
                    }
                    Ok(first)
                })
            })
            .await
    }
}

/// One line in the log and one count for everything that happens; none of it is about a person.
fn tell(happening: &Happening) {
    let event = happening.what.word();
    tracing::info!(alert = %happening.alert, event, "an alert has changed");
    metrics::counter!("alert_events_total", "event" => event).increment(1);
}

/// False when the trigger was ticked off before.
async fn tick_off(unit: &Unit, trigger: &Trigger) -> Result<bool, StoreError> {
    match trigger {
        Trigger::Event(consumer, id) => unit.first_time(consumer, *id).await,
        Trigger::Timer(timer) => unit.claim_timer(timer).await,
        Trigger::Request | Trigger::Audit => Ok(true),
    }
}
