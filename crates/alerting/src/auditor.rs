//! The auditor of escalation: it finds every alert whose next step is missing, late or further ahead than one can be, takes
//! that step and tells the operator that it had to. It needs no timer of the alert: it looks at the alerts themselves, by index.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_platform::consume::caught;
use lasegue_platform::store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::case::Case;
use crate::escalation::ahead::{self, Furthest};
use crate::escalation::report;
use crate::ids::CaseId;
use crate::on_call::OnCall;
use crate::plan::{Plan, Report};
use crate::service::{Alerting, Trigger};
use crate::store::alerts::{self, Overlooked};

/// How often the auditor looks.
const EVERY: Duration = Duration::from_secs(10);
/// A step that is later than this in two rounds was overlooked: whoever was only stopped for a while has taken it by then.
const LATE: TimeDelta = TimeDelta::seconds(20);
/// Steps that it takes up in one round.
const ROUND: u64 = 256;

/// Looks again and again for what was overlooked.
#[derive(Debug)]
pub struct Auditor {
    alerting: Arc<Alerting>,
    /// What was late in the round before.
    late: BTreeSet<Overlooked>,
}

impl Auditor {
    /// An auditor who has seen nothing yet.
    pub const fn new(alerting: Arc<Alerting>) -> Self {
        Self { alerting, late: BTreeSet::new() }
    }

    /// Looks until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let clock = self.alerting.store().clock().clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(EVERY) => {}
            }
            if let Err(error) = self.round().await {
                let error = lasegue_platform::chain(&error);
                tracing::error!(error, "it could not be audited whether an alert was overlooked");
            }
        }
    }

    /// Takes each step that was overlooked in the round before and still is; says of how many cases. A case whose step cannot
    /// be taken keeps no other waiting, and the operator hears of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn round(&mut self) -> Result<usize, StoreError> {
        let now = self.alerting.now();
        let (reader, furthest) = (self.alerting.store().reader(), Furthest::of(self.alerting.on_call(), now));
        let late = alerts::overlooked(reader, now - LATE, furthest, ROUND).await?;
        let before = std::mem::replace(&mut self.late, late);
        let overlooked: BTreeSet<_> = self.late.intersection(&before).map(|step| step.case).collect();
        let mut failed = false;
        for case in &overlooked {
            tracing::error!(%case, "a step of an alert was late, missing or impossibly far ahead: it is taken now");
            metrics::counter!("alert_steps_overlooked_total").increment(1);
            let step = caught(async { Ok(self.alerting.decide(*case, &Trigger::Audit, take_step).await?) });
            if let Err(error) = step.await {
                let error = error.chain();
                tracing::error!(%case, error, "the step could not be taken; it is tried again in the next round");
                failed = true;
            }
        }
        if failed {
            self.alerting.decide(CaseId::OPERATOR, &Trigger::Request, tell_operator).await?;
        }
        Ok(overlooked.len())
    }
}

fn tell_operator(case: Case, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    report::tell(case, &Report::LateSteps, on_call, now)
}

/// What is due is done, and the operator hears of it; the operator's own alerts are not told of again.
fn take_step(case: Case, on_call: &OnCall, now: DateTime<Utc>) -> Plan {
    let is_own = case.id == CaseId::OPERATOR;
    let mut plan = ahead::decide(case, on_call, now);
    if !is_own {
        plan.reports.insert(Report::LateSteps);
    }
    plan
}
