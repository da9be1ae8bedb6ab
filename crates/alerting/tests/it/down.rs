//! Pagers that are down for a while: whoever can be reached is paged meanwhile, and nothing floods them afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use lasegue_alerting::store::deliveries;
use lasegue_contracts::assessment::{Limit, Severity};
use lasegue_testkit::pager::{Page, Pager};
use lasegue_testkit::wait::eventually;
use sea_orm::EntityTrait;
use serde_json::Value;

use crate::harness::{Clinic, RULES, SECRET, emergency, flag, flags};

impl Clinic {
    /// Lets time pass in steps in which nothing is overslept.
    async fn pass_slowly(&self, steps: u32, step: Duration) {
        for _ in 0..steps {
            self.pass(step).await;
        }
    }
}

fn severities(pages: &[Page]) -> Vec<&str> {
    let mut severities: Vec<_> = pages.iter().map(|page| page.text("severity")).collect();
    severities.sort_unstable();
    severities
}

fn taken(pages: Vec<Page>) -> Vec<Page> {
    pages.into_iter().filter(|page| page.answered == StatusCode::OK).collect()
}

#[tokio::test]
async fn whose_only_pager_is_down_is_passed_over_after_half_a_minute_and_gets_the_page_after_all() {
    let mut clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::INTERNAL_SERVER_ERROR);
    clinic.tell(emergency(1)).await;
    clinic.pass(Duration::from_secs(29)).await;
    clinic.pages("lead", 0).await;
    clinic.pass_slowly(2, Duration::from_secs(1)).await;
    assert_eq!(severities(&clinic.pages("lead", 2).await), ["emergency", "operator"]);
    assert_eq!(clinic.pages("c", 1).await[0].text("severity"), "operator");
    clinic.pagers["a"].answer(StatusCode::OK);
    clinic.pass(Duration::from_secs(15)).await;
    assert_eq!(severities(&taken(clinic.pagers["a"].pages())), ["emergency", "operator"]);
}

#[tokio::test]
async fn when_all_pagers_are_down_each_contact_is_told_of_once_and_no_more_is_sent_than_the_steps_want() {
    let clinic = Clinic::open().await;
    for pager in clinic.pagers.values() {
        pager.answer(StatusCode::SERVICE_UNAVAILABLE);
    }
    clinic.tell(emergency(1)).await;
    clinic.pass_slowly(40, Duration::from_secs(15)).await;
    let mut states = clinic.states().await;
    states.sort_unstable();
    let open = ["cauda-equina-emergency", "unreachable:a", "unreachable:c", "unreachable:lead"];
    assert_eq!(states, open.map(|alert| format!("{alert} open")));
    let queued = deliveries::Entity::find().all(clinic.alerting.store().reader()).await.expect("readable");
    assert!(queued.len() <= 5 + 3 * 2 * 3, "{}", queued.len());
}

#[tokio::test]
async fn when_nobody_of_the_policy_takes_a_page_the_catch_all_is_paged_at_once_and_only_once() {
    let clinic = Clinic::open().await;
    for refusing in ["a", "lead"] {
        clinic.pagers[refusing].answer(StatusCode::GONE);
    }
    clinic.tell(emergency(1)).await;
    let of_the_emergency = || {
        let pages = clinic.pagers["c"].pages();
        pages.iter().filter(|page| page.text("severity") == "emergency").count()
    };
    eventually("the catch-all has the emergency", || async { of_the_emergency() == 1 }).await;
    clinic.pass_slowly(24, Duration::from_secs(10)).await;
    assert_eq!(of_the_emergency(), 1, "the next step's wait is not over");
    clinic.pass_slowly(7, Duration::from_secs(10)).await;
    assert_eq!(of_the_emergency(), 2);
}

#[tokio::test]
async fn a_first_step_that_is_the_catch_all_too_gives_way_to_the_next_at_once() {
    let clinic = Clinic::open_with(&format!("{RULES}catch_all = [\"rota:spine\"]\n")).await;
    clinic.pagers["a"].answer(StatusCode::GONE);
    clinic.tell(emergency(1)).await;
    eventually("the next step is taken", || async { severities(&clinic.pagers["lead"].pages()) == ["emergency"] })
        .await;
}

#[tokio::test]
async fn a_pager_that_is_back_gets_one_page_of_each_alert_the_latest() {
    let clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::INTERNAL_SERVER_ERROR);
    clinic.tell(emergency(1)).await;
    clinic.pass_slowly(36, Duration::from_secs(15)).await;
    clinic.pagers["a"].answer(StatusCode::OK);
    clinic.pass(Duration::from_secs(15)).await;
    let pages = taken(clinic.pagers["a"].pages());
    let mut reasons = BTreeMap::<_, Vec<_>>::new();
    for page in &pages {
        reasons.entry(page.text("link")).or_default().push((page.text("severity"), page.text("reason")));
    }
    let reasons: Vec<_> = reasons.into_values().collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    for reason in [("emergency", "repeated"), ("operator", "repeated")] {
        assert!(reasons.contains(&vec![reason]), "{reasons:?}");
    }
}

#[tokio::test]
async fn a_newer_page_goes_on_where_the_older_was_so_that_every_channel_has_its_turn() {
    let pagers = [Pager::start(SECRET).await, Pager::start(SECRET).await, Pager::start(SECRET).await];
    for down in &pagers[..2] {
        down.answer(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let channels = pagers
        .each_ref()
        .map(|pager| format!("{{ kind = \"webhook\", url = \"{}\", secret = \"{SECRET}\" }}", pager.url()));
    let rules = format!(
        r#"
[[contact]]
name = "three"
channels = [{}]
[[policy]]
name = "default"
steps = [{{ notify = ["contact:three"], wait = "40s" }}, {{ notify = ["contact:three"], wait = "40s" }}]
"#,
        channels.join(", ")
    );
    let clinic = Clinic::open_with(&rules).await;
    clinic.tell(emergency(1)).await;
    clinic.pass_slowly(13, Duration::from_secs(5)).await;
    let reasons: Vec<_> = pagers[2].pages().iter().map(|page| page.text("reason").to_owned()).collect();
    assert_eq!(reasons, ["escalated"]);
}

#[tokio::test]
async fn of_two_alerts_in_one_page_the_one_without_news_is_not_lost() {
    let clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::INTERNAL_SERVER_ERROR);
    let both = |revision| {
        let watch = flag("cauda-equina-watch", Severity::Urgent, Limit::SameDay);
        flags(revision, vec![watch, flag("cauda-equina-emergency", Severity::Emergency, Limit::Immediate)])
    };
    clinic.tell(both(1)).await;
    clinic.tell(both(2)).await;
    clinic.pagers["a"].answer(StatusCode::OK);
    clinic.pass(Duration::from_secs(15)).await;
    let mut listed: Vec<_> = taken(clinic.pagers["a"].pages()).iter().map(alerts).collect();
    listed.sort_unstable();
    assert_eq!(listed, [["emergency met-again"], ["urgent opened"]]);
}

/// The alerts of a page: how severe, and why they are in it.
fn alerts(page: &Page) -> Vec<String> {
    let word = |alert: &Value, field: &str| alert[field].as_str().unwrap_or_default().to_owned();
    let alerts = page.body["alerts"].as_array().expect("a list");
    alerts.iter().map(|alert| format!("{} {}", word(alert, "severity"), word(alert, "reason"))).collect()
}
