//! The main job from outside, the same in every shape of an installation: a submission comes in, a clinician is paged.

use std::time::Duration;

use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_testkit::pager::Page;
use lasegue_testkit::wait::{eventually, pause};
use reqwest::StatusCode;
use serde_json::{Value, json};

use lasegue_testkit::caller::{Caller, calm_visit, registration, saddle_visit};
use lasegue_testkit::installation::Installation;

/// How long a page may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to look for a page that must not come.
const QUIET: Duration = Duration::from_millis(500);

/// The pages that arrived since there were `before`: exactly `count`.
async fn pages(place: &impl Installation, before: usize, count: usize) -> Vec<Page> {
    let arrived = place.pager().wait_for(PATIENCE, |pages| pages.len() >= before + count).await;
    arrived.expect("the pages arrive");
    pause(QUIET).await;
    let arrived = place.pager().pages().split_off(before);
    assert_eq!(arrived.len(), count, "no page comes beyond the expected");
    arrived
}

pub(crate) async fn a_red_flag_pages_once_signed_and_without_a_word_about_the_patient(place: &impl Installation) {
    let before = place.pager().pages().len();
    let caller = place.caller();
    let episode = caller.register().await.expect("it answers");
    for _ in 0..2 {
        let answer = caller.submit(&episode, "key-1", &saddle_visit("v1")).await.expect("it answers");
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    let page = pages(place, before, 1).await.remove(0);
    assert!(page.signed && !page.possible_duplicate());
    let text = page.body.to_string().to_lowercase();
    for secret in ["saddle", "cauda", "equina", "syntheta", "1980", &episode] {
        assert!(!text.contains(secret), "the page says {secret}: {text}");
    }
}

pub(crate) async fn a_calm_visit_pages_nobody_and_is_assessed(place: &impl Installation) {
    let before = place.pager().pages().len();
    let caller = place.caller();
    let episode = caller.register().await.expect("it answers");
    let answer = caller.submit(&episode, "key-1", &calm_visit("v1")).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let result = assessment(&caller, &episode).await;
    assert_eq!(result["next_visit"]["kind"], "initial");
    pages(place, before, 0).await;
}

pub(crate) async fn three_faults_are_answered_all_at_once(place: &impl Installation) {
    let before = place.pager().pages().len();
    let caller = place.caller();
    let episode = caller.register().await.expect("it answers");
    let mut visit = calm_visit("v1");
    visit["pain"]["leg"]["value"] = json!(101);
    visit["motor"]["knee_extension"]["left"] = json!(6);
    visit["colour"] = json!("blue");
    let answer = caller.submit(&episode, "key-1", &visit).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = answer.json().await.expect("a problem document");
    let mut pointers: Vec<_> =
        problem["faults"].as_array().expect("a list").iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/colour", "/motor/knee_extension/left", "/pain/leg/value"]);
    pages(place, before, 0).await;
}

pub(crate) async fn a_refused_submission_does_not_hide_its_red_flag(place: &impl Installation) {
    let before = place.pager().pages().len();
    let caller = place.caller();
    let episode = caller.register().await.expect("it answers");
    let mut visit = saddle_visit("v1");
    visit["pain"]["leg"]["value"] = json!(101);
    let answer = caller.submit(&episode, "key-1", &visit).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    pages(place, before, 1).await;
}

pub(crate) async fn a_body_that_is_no_json_pages_too(place: &impl Installation) {
    let before = place.pager().pages().len();
    let caller = place.caller();
    let episode = caller.register().await.expect("it answers");
    let request = caller.post(&format!("/episodes/{episode}/submissions"), &json!({}));
    let answer = request.header("idempotency-key", "key-1").body("{ \"saddle").send().await.expect("it answers");
    assert!(answer.status().is_client_error());
    pages(place, before, 1).await;
}

pub(crate) async fn without_a_token_or_with_the_wrong_role_nothing_is_done(place: &impl Installation) {
    let caller = place.caller();
    let url = format!("{}/api/v1/episodes", caller.url);
    let nobody = caller.http.post(&url).json(&registration()).send().await.expect("it answers");
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    let auditor = caller.http.post(&url).bearer_auth(place.token_for("auditor")).json(&registration()).send().await;
    assert_eq!(auditor.expect("it answers").status(), StatusCode::FORBIDDEN);
}

pub(crate) async fn an_accepted_and_disposed_alert_releases_the_hold(place: &impl Installation) {
    let before = place.pager().pages().len();
    let caller = place.caller();
    let episode = caller.register().await.expect("it answers");
    caller.submit(&episode, "key-1", &saddle_visit("v1")).await.expect("it answers");
    pages(place, before, 1).await;
    let alerts = caller.json("/alerts?state=open").await;
    let alerts = alerts["alerts"].as_array().expect("a list");
    let alert = alerts.iter().find(|alert| alert["episode_id"] == episode.as_str()).expect("it is open");
    let (id, revision) = (alert["id"].as_str().expect("an id"), &alert["revision"]);
    let accepted = caller.post(&format!("/alerts/{id}/accept"), &json!({ "revision": revision })).send().await;
    assert_eq!(accepted.expect("it answers").status(), StatusCode::OK);
    let note = json!({ "revision": revision, "note": "Examined: sensation intact on testing." });
    let disposed = caller.post(&format!("/alerts/{id}/dispose"), &note).send().await;
    assert_eq!(disposed.expect("it answers").status(), StatusCode::OK);
    for _ in 0..200 {
        if assessment(&caller, &episode).await["next_visit"]["kind"] != "hold" {
            return;
        }
        pause(Duration::from_millis(50)).await;
    }
    panic!("the disposition never reached the assessment");
}

/// The episode's latest result, once there is one.
async fn assessment(caller: &Caller, episode: &str) -> Value {
    for _ in 0..400 {
        let answer = caller.get(&format!("/episodes/{episode}/assessment")).send().await.expect("it answers");
        if answer.status() == StatusCode::OK {
            return answer.json().await.expect("a JSON body");
        }
        pause(Duration::from_millis(25)).await;
    }
    panic!("the episode was never assessed");
}

pub(crate) async fn a_revoked_token_is_refused_by_every_service(place: &impl Installation) {
    let caller = place.caller();
    let leaked = Caller::new(&caller.url, place.token_of("auditor", "leaky"));
    // Of intake, assessment, scheduling and alerting.
    let doors = ["/episodes/00000000-0000-4000-8000-000000000000", "/protocols", "/worklist", "/alerts"];
    let status = async |door: &str| leaked.get(door).send().await.expect("it answers").status();
    for door in doors {
        assert_ne!(status(door).await, StatusCode::UNAUTHORIZED, "{door}");
    }
    let listed = place.tokens(&["list"]);
    let line = listed.lines().find(|line| line.ends_with("  leaky")).expect("it is listed");
    let id = line.split(' ').next().expect("an id");
    place.tokens(&["revoke", id]);
    let revoked = SystemClock.now();
    for door in doors {
        eventually(door, || async { status(door).await == StatusCode::UNAUTHORIZED }).await;
    }
    eprintln!("refused by every service {} ms after it was revoked", (SystemClock.now() - revoked).num_milliseconds());
    assert!(place.tokens(&["list"]).lines().any(|line| line.starts_with(id) && line.contains("  revoked ")));
    caller.json("/worklist").await;
}
