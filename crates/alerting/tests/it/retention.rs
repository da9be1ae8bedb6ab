//! What is kept, and for how long.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lasegue_alerting::escalation::report;
use lasegue_alerting::ids::CaseId;
use lasegue_alerting::keeper::Keeper;
use lasegue_alerting::plan::Report;
use lasegue_alerting::service::Trigger;
use lasegue_alerting::store::{audit, deliveries};
use lasegue_contracts::assessment::{Limit, RedFlagRaised, Severity};
use lasegue_platform::clock::Clock;
use lasegue_testkit::wait::eventually;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::harness::{Clinic, emergency, flag, flags};

const DAY: Duration = Duration::from_hours(24);

/// An urgent finding of an old import: on the worklist, and nobody is paged.
fn of_an_old_import() -> RedFlagRaised {
    let listed = flags(1, vec![flag("reflex-changed", Severity::Urgent, Limit::Limit7Days)]);
    let assessed_at = Some(lasegue_platform::wire::timestamp("2025-01-01T00:00:00Z".parse().expect("an instant")));
    RedFlagRaised { episode_id: Uuid::from_u128(9).to_string(), bulk: true, assessed_at, ..listed }
}

impl Clinic {
    /// What the keeper does every hour.
    async fn keep(&self) {
        Keeper::new(self.alerting.store(), 10).round().await.expect("writable");
    }

    /// Whether an alert of this key and state is kept.
    async fn keeps(&self, alert: &str) -> bool {
        self.states().await.iter().any(|kept| kept == alert)
    }

    async fn histories(&self) -> u64 {
        audit::Entity::find().count(self.alerting.store().reader()).await.expect("readable")
    }

    /// The deliveries from before `until`.
    async fn deliveries(&self, until: DateTime<Utc>) -> u64 {
        let rows = deliveries::Entity::find().filter(deliveries::Column::CreatedAt.lte(until));
        rows.count(self.alerting.store().reader()).await.expect("readable")
    }
}

#[tokio::test]
async fn what_is_done_is_kept_as_long_as_it_must_be_and_what_is_open_for_ever() {
    let mut clinic = Clinic::open().await;
    let begin = clinic.clock.now();
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    clinic.tell(of_an_old_import()).await;
    let trouble = |case, on_call: &_, now| report::tell(case, &Report::LateSteps, on_call, now);
    clinic.alerting.decide(CaseId::OPERATOR, &Trigger::Request, trouble).await.expect("writable");
    clinic.settled().await;
    clinic.dispose_all().await;
    let own = ["late-steps closed", "imported-findings listed"];
    let (patients, open) = ("cauda-equina-emergency closed", "reflex-changed listed");
    for alert in own.into_iter().chain([patients, open]) {
        assert!(clinic.keeps(alert).await, "{alert}");
    }
    let histories = clinic.histories().await;

    clinic.pass(364 * DAY).await;
    clinic.keep().await;
    assert!(clinic.deliveries(begin).await > 0 && clinic.keeps("late-steps closed").await);
    clinic.pass(2 * DAY).await;
    clinic.keep().await;
    assert_eq!(clinic.deliveries(begin).await, 0);
    assert!(!clinic.keeps("late-steps closed").await && clinic.keeps(patients).await);
    assert!(clinic.histories().await < histories);

    clinic.pass(9 * 366 * DAY).await;
    eventually("the alert is gone", || async {
        clinic.clock.advance(Duration::from_hours(1));
        !clinic.keeps(patients).await
    })
    .await;
    assert!(clinic.keeps(open).await && clinic.keeps("imported-findings listed").await);
}
