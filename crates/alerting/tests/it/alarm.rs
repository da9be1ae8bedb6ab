//! While alerting's own database keeps nothing, the operator is paged all the same.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lasegue_platform::store::{Store, StoreError};
use lasegue_testkit::pager::Pager;
use lasegue_testkit::wait::{eventually, pause};
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;

use crate::harness::{Clinic, RULES};

const CONTACTS: [&str; 3] = ["a", "lead", "c"];

/// A database that keeps nothing: its file is elsewhere, and its connection gone.
struct Lost {
    here: PathBuf,
    away: PathBuf,
}

impl Lost {
    async fn of(clinic: &Clinic) -> Self {
        let here = clinic.folder.path().join("alerting.sqlite");
        let lost = Self { away: here.with_extension("away"), here };
        fs::rename(&lost.here, &lost.away).expect("it can be moved");
        let refused = refuse_writes(clinic.alerting.store()).await;
        refused.expect_err("it takes no writes");
        lost
    }

    fn comes_back(self) {
        fs::rename(self.away, self.here).expect("it can be moved back");
    }
}

async fn refuse_writes(store: &Store) -> Result<(), StoreError> {
    store
        .commit(|unit| {
            Box::pin(async move {
                unit.db().execute_unprepared("PRAGMA query_only = on; DELETE FROM probe").await?;
                Ok(())
            })
        })
        .await
}

/// Lets so many seconds pass, a few at a time, as a clock does. Each time every database is asked whether it stores
/// anything: however busy the machine is, none has to answer while the clock leaps.
async fn pass(clinic: &Clinic, seconds: u64) {
    for _ in 0..seconds / 5 {
        clinic.clock.advance(Duration::from_secs(5));
        clinic.is_ready().await;
        pause(Duration::from_millis(40)).await;
    }
}

fn stands(clinic: &Clinic) -> bool {
    clinic.alerting.store().standing().borrow().nothing_stored.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_is_stored_the_catch_all_is_paged_at_once_and_every_five_minutes_until_it_heals() {
    let switch = Pager::start("not signed").await;
    let rules = format!("{RULES}\n[heartbeat]\nurl = \"{}\"\nevery = \"30s\"\n", switch.url());
    let mut clinic = Clinic::open_with(&rules).await;
    eventually("a sign of life was given", || async { !switch.pages().is_empty() }).await;
    let lost = Lost::of(&clinic).await;
    let beats = switch.pages().len();
    pass(&clinic, 60).await;
    for contact in CONTACTS {
        let page = clinic.pages(contact, 1).await.remove(0);
        assert_eq!((page.text("severity"), page.text("reason")), ("operator", "opened"));
        assert!(page.text("text").contains(": nothing can be stored"), "{}", page.text("text"));
        assert_eq!((&page.body["attempt"], page.possible_duplicate()), (&1.into(), false));
    }
    pass(&clinic, 180).await;
    assert!(CONTACTS.iter().all(|contact| clinic.pagers[contact].pages().len() == 1), "it is not the time yet");
    pass(&clinic, 120).await;
    for contact in CONTACTS {
        assert_eq!(clinic.pages(contact, 1).await[0].text("reason"), "repeated");
    }
    assert_eq!(switch.pages().len(), beats, "silence tells it, too");
    lost.comes_back();
    eventually("it heals", || async {
        pass(&clinic, 5).await;
        stands(&clinic)
    })
    .await;
    for _ in 0..20 {
        clinic.pass(Duration::from_secs(30)).await;
    }
    assert!(switch.pages().len() > beats && clinic.is_ready().await);
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_a_pager_does_not_take_comes_again_and_says_so() {
    let mut clinic = Clinic::open().await;
    clinic.pagers["c"].answer(StatusCode::SERVICE_UNAVAILABLE);
    let lost = Lost::of(&clinic).await;
    eventually("it is tried", || async {
        pass(&clinic, 5).await;
        !clinic.pagers["c"].pages().is_empty()
    })
    .await;
    clinic.pagers["c"].answer(StatusCode::OK);
    pass(&clinic, 60).await;
    let pages = clinic.pages("c", 2).await;
    assert_eq!([&pages[0].body["attempt"], &pages[1].body["attempt"]], [1, 2]);
    assert_eq!(pages[0].body["page_id"], pages[1].body["page_id"]);
    assert_eq!(pages.iter().map(lasegue_testkit::pager::Page::possible_duplicate).collect::<Vec<_>>(), [false, true]);
    for contact in ["a", "lead"] {
        clinic.pages(contact, 1).await;
    }
    lost.comes_back();
    eventually("it heals", || async {
        pass(&clinic, 5).await;
        stands(&clinic)
    })
    .await;
    clinic.close().await;
}
