//! When nobody can be paged it shows: in readiness, at a dead man's switch, and at the start.

use std::time::Duration;

use lasegue_alerting::config::OnCallSettings;
use lasegue_contracts::Service;
use lasegue_platform::telemetry;
use lasegue_testkit::pager::Pager;
use lasegue_testkit::wait::{eventually, pause};
use reqwest::StatusCode;

use crate::harness::{Clinic, RULES, emergency};

/// Waits until the switch was called so often.
async fn called(switch: &Pager, times: usize) {
    eventually("a sign of life was given", || async { switch.pages().len() >= times }).await;
}

#[tokio::test]
async fn a_sign_of_life_is_given_as_long_as_pages_leave() {
    telemetry::start_metrics().expect("the buckets are buckets");
    let switch = Pager::start("not signed").await;
    let rules = format!("{RULES}\n[heartbeat]\nurl = \"{}\"\nevery = \"30s\"\n", switch.url());
    let clinic = Clinic::open_with(&rules).await;
    called(&switch, 1).await;
    clinic.pass(Duration::from_secs(30)).await;
    called(&switch, 2).await;
    assert!(clinic.is_ready().await);
    for pager in clinic.pagers.values() {
        pager.answer(StatusCode::SERVICE_UNAVAILABLE);
    }
    clinic.publish(Service::Assessment, emergency(1)).await;
    eventually("the page was tried", || async { !clinic.pagers["a"].pages().is_empty() }).await;
    for _ in 0..6 {
        clinic.clock.advance(Duration::from_secs(15));
        pause(Duration::from_millis(50)).await;
    }
    eventually("it shows that nobody gets the page", || async { !clinic.is_ready().await }).await;
    let shown = clinic.metrics().await;
    let gauge = |name: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<f64>().ok()).unwrap_or(-1.0)
    };
    assert!(gauge("oldest_unpaged_red_flag_seconds") >= 60.0 && gauge("contacts") > 2.0, "{shown}");
    let before = switch.pages().len();
    for _ in 0..4 {
        clinic.clock.advance(Duration::from_secs(30));
        pause(Duration::from_millis(50)).await;
    }
    assert_eq!(switch.pages().len(), before, "silence tells it");
}

#[tokio::test]
async fn it_shows_that_nobody_can_be_paged() {
    assert_eq!(Clinic::open().await.health_of("alerting contacts").await, "ok");
    let nobody = Clinic::of_nobody().await;
    assert_eq!(nobody.health_of("alerting contacts").await, "nobody can be paged: there is no contact");
    assert!(nobody.is_ready().await, "it was asked for");
}

#[tokio::test]
async fn a_page_that_somebody_got_waits_no_longer() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    assert_eq!(clinic.pages("a", 1).await.len(), 1);
    clinic.pass(Duration::from_mins(2)).await;
    assert!(clinic.is_ready().await);
    clinic.close().await;
}

#[test]
fn a_switch_that_cannot_be_called_is_refused_without_its_address() {
    let text = "[heartbeat]\nurl = \"ftp://switch.example/private\"\nevery = \"5s\"\n";
    let settings: OnCallSettings = toml::from_str(text).expect("it is TOML");
    let faults = settings.check().expect_err("neither address nor span is possible").to_string();
    assert!(faults.contains("http://") && faults.contains("10s") && !faults.contains("private"), "{faults}");
}
