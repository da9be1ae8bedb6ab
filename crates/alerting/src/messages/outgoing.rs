//! To the wire: the life of alerts and pages, and the dispositions that clinicians sign.

use chrono::{DateTime, Utc};
use lasegue_contracts::alerting::{
    AlertAccepted, AlertEscalated, AlertOpened, FindingDisposed, PageDelivered, PageFailed,
};
use lasegue_contracts::{Lane, NOTE_STAYS};
use lasegue_platform::store::{StoreError, Unit};
use lasegue_platform::wire::timestamp;

use crate::alert::{Alert, Origin};
use crate::channel::Failure;
use crate::ids::{Person, Revision};
use crate::plan::{Happening, Plan, What};
use crate::state::Closure;
use crate::store::deliveries::Claimed;

/// Writes the events of a plan into the outbox.
pub(crate) async fn publish(unit: &mut Unit, plan: &Plan) -> Result<(), StoreError> {
    for happening in &plan.happened {
        if let Some(alert) = plan.case.alerts.get(&happening.alert) {
            publish_one(unit, plan, alert, happening).await?;
        }
    }
    Ok(())
}

async fn publish_one(unit: &mut Unit, plan: &Plan, alert: &Alert, happening: &Happening) -> Result<(), StoreError> {
    let case = plan.case.id;
    let (episode_id, alert_id, at) = (case.to_string(), alert.id.to_string(), Some(timestamp(happening.at)));
    match &happening.what {
        What::Opened { .. } if !matches!(alert.origin, Origin::Notice { .. }) => {
            let (revision, urgency) = (plan.case.revision().0, alert.tone().word().to_owned());
            unit.publish(Lane::Live, case.0, &AlertOpened { episode_id, alert_id, revision, urgency, at }).await
        }
        What::Accepted { by, .. } => {
            unit.publish(Lane::Live, case.0, &AlertAccepted { episode_id, alert_id, by: by.0.clone(), at }).await
        }
        What::Escalated { step, round } => {
            let escalated = AlertEscalated { episode_id, alert_id, step: *step, round: *round, at };
            unit.publish(Lane::Live, case.0, &escalated).await
        }
        What::Closed(Closure::Signed { by, seen, .. }) if matches!(alert.origin, Origin::Finding { .. }) => {
            let signed = disposed(alert, by, *seen, happening.at);
            unit.publish(Lane::Live, case.0, &FindingDisposed { episode_id, ..signed }).await
        }
        _ => Ok(()),
    }
}

fn disposed(alert: &Alert, by: &Person, seen: Revision, at: DateTime<Utc>) -> FindingDisposed {
    FindingDisposed {
        episode_id: String::new(),
        alert_id: alert.id.to_string(),
        code: alert.key.code.clone(),
        side: alert.key.side.map(|side| side.word().to_owned()).unwrap_or_default(),
        at: Some(timestamp(at)),
        by: by.0.clone(),
        note: NOTE_STAYS.to_owned(),
        seen_revision: Some(seen.0),
    }
}

/// A page has reached its contact.
pub(crate) fn page_delivered(claimed: &Claimed, channel: &str, at: DateTime<Utc>) -> PageDelivered {
    PageDelivered {
        episode_id: claimed.row.case_id.to_string(),
        page_id: claimed.row.page_id.to_string(),
        channel: channel.to_owned(),
        attempts: claimed.attempt.number,
        at: Some(timestamp(at)),
    }
}

/// A channel has given up on a page.
pub(crate) fn page_failed(claimed: &Claimed, channel: &str, failure: Failure, at: DateTime<Utc>) -> PageFailed {
    PageFailed {
        episode_id: claimed.row.case_id.to_string(),
        page_id: claimed.row.page_id.to_string(),
        channel: channel.to_owned(),
        attempts: claimed.attempt.number,
        at: Some(timestamp(at)),
        cause: failure.word().to_owned(),
    }
}
