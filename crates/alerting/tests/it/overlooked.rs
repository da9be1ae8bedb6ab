//! An alert's next step is never overlooked: not when people click meanwhile, and not when its timer is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use lasegue_alerting::auditor::Auditor;
use lasegue_alerting::escalation::command::{Action, Command};
use lasegue_alerting::ids::{CaseId, Person};
use lasegue_alerting::service::Alerting;
use lasegue_alerting::store::{self, WAKE, alerts};
use lasegue_contracts::Service;
use lasegue_contracts::assessment::RedFlagRaised;
use lasegue_platform::store::{StoreError, timers};
use lasegue_testkit::pager::Page;
use lasegue_testkit::wait::pause;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::harness::{Clinic, EPISODE, emergency};

const MINUTE: Duration = Duration::from_mins(1);
const CLICKERS: usize = 20;
const EPISODES: u128 = 12;

fn worse(episode: Uuid, revision: u64) -> RedFlagRaised {
    let mut flags = of(episode, revision);
    flags.flags[0].measure.insert("urinary_retention".to_owned(), 1);
    flags
}

fn of(episode: Uuid, revision: u64) -> RedFlagRaised {
    RedFlagRaised { episode_id: episode.to_string(), ..emergency(revision) }
}

/// Accepts the episode's only alert, as it is now, again and again until told to stop.
async fn click(alerting: Arc<Alerting>, episode: Uuid, stop: Arc<AtomicBool>) {
    let case = store::load(alerting.store().reader(), CaseId(episode)).await.expect("readable").case;
    let alert = case.alerts.values().next().expect("one alert");
    let accept = Command { alert: alert.id, by: Person("a".to_owned()), seen: alert.news, action: Action::Accept };
    while !stop.load(Ordering::SeqCst) {
        // Refused once there is news.
        let _ = alerting.command(case.id, &accept).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_click_stops_no_escalation() {
    let clinic = Clinic::open().await;
    for number in 1..=EPISODES {
        let episode = Uuid::from_u128(EPISODE.as_u128() + number);
        clinic.publish(Service::Assessment, of(episode, 1)).await;
        clinic.settled().await;
        let stop = Arc::<AtomicBool>::default();
        let clicking = (0..CLICKERS).map(|_| tokio::spawn(click(clinic.alerting.clone(), episode, stop.clone())));
        let clicking: Vec<_> = clicking.collect();
        pause(Duration::from_millis(20)).await;
        clinic.publish(Service::Assessment, worse(episode, 2)).await;
        pause(Duration::from_millis(100)).await;
        stop.store(true, Ordering::SeqCst);
        join_all(clicking).await;
        clinic.settled().await;

        let case = store::load(clinic.alerting.store().reader(), CaseId(episode)).await.expect("readable").case;
        let timer = timers::Entity::find_by_id((WAKE.to_owned(), episode.to_string()));
        let timer = timer.one(clinic.alerting.store().reader()).await.expect("readable");
        assert_eq!(timer.map(|timer| timer.due_at), case.wake(), "episode {number}: {:?}", case.alerts);
    }
}

/// As no code of ours does it: the timer is gone and the alert is still open.
async fn lose_timers(clinic: &Clinic) {
    let lost = clinic.alerting.store().commit::<_, StoreError, _>(|unit| {
        Box::pin(async move {
            let wake = timers::Entity::delete_many().filter(timers::Column::Kind.eq(WAKE));
            Ok(wake.exec(unit.db()).await?.rows_affected)
        })
    });
    assert_eq!(lost.await.expect("writable"), 1);
}

#[tokio::test]
async fn the_auditor_takes_an_overlooked_step_and_tells_the_operator() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    lose_timers(&clinic).await;
    clinic.pass(5 * MINUTE).await;
    let mut auditor = Auditor::new(clinic.alerting.clone());
    assert_eq!(auditor.round().await.expect("readable"), 0, "it is not late yet");
    for _ in 0..3 {
        clinic.pass(Duration::from_secs(25)).await;
        auditor.round().await.expect("readable");
    }
    clinic.settled().await;
    let escalated = |page: &Page| page.text("reason") == "escalated" && page.text("severity") == "emergency";
    assert_eq!(clinic.pagers["lead"].pages().into_iter().filter(escalated).count(), 1);
    let operator = |page: &Page| page.text("severity") != "emergency";
    assert!(clinic.pagers["c"].pages().iter().any(operator));
    assert_eq!(clinic.states().await, ["cauda-equina-emergency open", "late-steps open"]);
    let timers = timers::Entity::find().filter(timers::Column::Kind.eq(WAKE));
    let timers = timers.count(clinic.alerting.store().reader()).await.expect("readable");
    assert_eq!(timers, 2, "the alert has its timer again");
    assert_eq!(auditor.round().await.expect("readable"), 0, "nothing is overlooked any more");
}

#[tokio::test]
async fn steps_that_a_clock_ahead_has_planned_are_taken_when_it_is_put_right() {
    let mut clinic = Clinic::open().await;
    let accepted = Uuid::from_u128(EPISODE.as_u128() + 1);
    clinic.clock.advance(24 * 60 * MINUTE);
    clinic.tell(emergency(1)).await;
    clinic.tell(of(accepted, 1)).await;
    clinic.pages("a", 2).await;
    let case = store::load(clinic.alerting.store().reader(), CaseId(accepted)).await.expect("readable").case;
    let alert = case.alerts.values().next().expect("one alert");
    let accept = Command { alert: alert.id, by: Person("a".to_owned()), seen: alert.news, action: Action::Accept };
    clinic.alerting.command(case.id, &accept).await.expect("an open alert can be accepted");
    clinic.clock.turn_back(24 * 60 * MINUTE);

    let clinic = clinic.restart().await;
    let mut auditor = Auditor::new(clinic.alerting.clone());
    assert_eq!(auditor.round().await.expect("readable"), 0, "once is no proof");
    assert_eq!(auditor.round().await.expect("readable"), 2);
    clinic.settled().await;
    let reasons = |contact: &str| {
        let mut reasons: Vec<_> =
            clinic.pagers[contact].pages().iter().map(|page| page.text("reason").to_owned()).collect();
        reasons.sort_unstable();
        reasons
    };
    assert!(reasons("a").contains(&"acceptance-lapsed".to_owned()), "{:?}", reasons("a"));
    assert!(reasons("lead").contains(&"escalated".to_owned()), "{:?}", reasons("lead"));
    assert!(clinic.states().await.contains(&"late-steps open".to_owned()));
    auditor.round().await.expect("readable");
    assert_eq!(auditor.round().await.expect("readable"), 0, "they are where they belong");
}

impl Clinic {
    async fn write(&self, statement: String) {
        let written = self.alerting.store().commit::<_, StoreError, _>(move |unit| {
            Box::pin(async move { Ok(unit.db().execute_unprepared(&statement).await?.rows_affected()) })
        });
        assert!(written.await.expect("writable") > 0);
    }

    /// As alerts were kept before their next step had a column.
    async fn forget_next_steps(&self) {
        self.write("UPDATE alerts SET next_at = NULL".to_owned()).await;
        self.write("DELETE FROM seaql_migrations WHERE version = 'm0003_next_steps'".to_owned()).await;
    }
}

#[tokio::test]
async fn alerts_from_before_an_upgrade_are_not_taken_for_overlooked() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let accepted = Uuid::from_u128(EPISODE.as_u128() + 1);
    clinic.tell(of(accepted, 1)).await;
    clinic.pages("a", 1).await;
    let case = store::load(clinic.alerting.store().reader(), CaseId(accepted)).await.expect("readable").case;
    let alert = case.alerts.values().next().expect("one alert");
    let accept = Command { alert: alert.id, by: Person("a".to_owned()), seen: alert.news, action: Action::Accept };
    clinic.alerting.command(case.id, &accept).await.expect("an open alert can be accepted");
    let before = next_steps(&clinic).await;
    clinic.forget_next_steps().await;

    let mut clinic = clinic.restart().await;
    assert_eq!(next_steps(&clinic).await, before);
    let mut auditor = Auditor::new(clinic.alerting.clone());
    for _ in 0..3 {
        assert_eq!(auditor.round().await.expect("readable"), 0);
        clinic.pass(Duration::from_secs(10)).await;
    }
    clinic.pass(5 * MINUTE).await;
    clinic.pages("lead", 1).await;
    clinic.close().await;
}

async fn next_steps(clinic: &Clinic) -> BTreeMap<Uuid, Option<DateTime<Utc>>> {
    let rows = alerts::Entity::find().all(clinic.alerting.store().reader()).await.expect("readable");
    rows.into_iter().map(|row| (row.id, row.next_at)).collect()
}

#[tokio::test]
async fn a_case_that_cannot_be_read_keeps_no_other_overlooked() {
    let mut clinic = Clinic::open().await;
    let first = Uuid::from_u128(1);
    clinic.tell(of(first, 1)).await;
    clinic.clock.advance(Duration::from_secs(1));
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 2).await;
    clinic
        .write("UPDATE alerts SET body = '{}' WHERE opened_at = (SELECT min(opened_at) FROM alerts)".to_owned())
        .await;
    clinic.write(format!("DELETE FROM timers WHERE kind = '{WAKE}'")).await;
    clinic.clock.advance(6 * MINUTE);
    let mut auditor = Auditor::new(clinic.alerting.clone());
    auditor.round().await.expect("readable");
    auditor.round().await.expect("readable");
    let mut to_lead: Vec<_> =
        clinic.pages("lead", 2).await.iter().map(|page| page.text("severity").to_owned()).collect();
    to_lead.sort_unstable();
    assert_eq!(to_lead, ["emergency", "operator"]);
}
