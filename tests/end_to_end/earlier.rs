//! Data folders of earlier versions, each killed with work under way: this version goes on with that work.

mod keep;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lasegue_testkit::caller::{Caller, calm_visit, saddle_visit};
use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::pager::Page;
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");
/// How long the pages that are owed may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the archives are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/end_to_end/earlier")
}

/// Runs `tar` on `archive` in `place`.
fn tar(how: &str, archive: &Path, place: &Path, what: &[&str]) {
    let done = Command::new("tar").arg(how).arg(archive).arg("-C").arg(place).args(what).status();
    assert!(done.expect("the system has tar").success(), "tar {how} {}", archive.display());
}

#[tokio::test]
async fn what_each_earlier_version_left_half_done_is_done() {
    let files = std::fs::read_dir(folder()).expect("it is there").map(|file| file.expect("a file").path());
    let archives: Vec<_> = files.filter(|file| file.extension().is_some_and(|ends| ends == "gz")).collect();
    assert!(!archives.is_empty());
    for archive in archives {
        println!("{}", archive.display());
        goes_on(&archive).await;
    }
}

async fn goes_on(archive: &Path) {
    let unpacked = tempfile::tempdir().expect("the system has a folder for temporary files");
    tar("-xzf", archive, unpacked.path(), &[]);
    let left = std::fs::read_to_string(unpacked.path().join("left.json")).expect("it is in the archive");
    let left: Value = serde_json::from_str(&left).expect("JSON");
    let put = |data: &Path| std::fs::rename(unpacked.path().join("data"), data).expect("it is in the archive");
    let clinic = Clinic::open_on(BINARY, put).await;
    let caller = clinic.caller();
    for flagged in ["paging", "accepted"] {
        is_paged(&clinic, text(&left[flagged], "episode")).await;
    }
    for known in ["calm", "paging", "accepted"] {
        is_known(&caller, &left[known], known != "calm").await;
    }
    for imported in left["imported"].as_array().expect("a list") {
        is_assessed(&caller, imported.as_str().expect("an id")).await;
    }
    something_new_is_taken(&clinic).await;
    let doctor = Command::new(BINARY).arg("doctor").arg("--data").arg(clinic.data()).output();
    let doctor = doctor.expect("the binary was built");
    assert!(doctor.status.success(), "{doctor:?}");
}

fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap_or_else(|| panic!("no {field} in {of}"))
}

/// The episode's red flag has an alert, and its page came.
async fn is_paged(clinic: &Clinic, episode: &str) {
    let alerts_of = |all: Value| {
        let alerts = all["alerts"].as_array().expect("a list").clone();
        alerts.into_iter().find(|alert| alert["episode_id"] == episode && alert["severity"] == "emergency")
    };
    eventually("it has an alert", || async { alerts_of(clinic.caller().json("/alerts").await).is_some() }).await;
    let alert = alerts_of(clinic.caller().json("/alerts").await).expect("it has one");
    let tells = |page: &Page| {
        page.body["alerts"].as_array().is_some_and(|all| all.iter().any(|told| told["id"] == alert["id"]))
    };
    let paged = clinic.pager().wait_for(PATIENCE, |pages| {
        pages.iter().any(|page| page.signed && page.text("severity") == "emergency" && tells(page))
    });
    paged.await.unwrap_or_else(|pages| panic!("{alert} was not paged: {pages:?}"));
}

/// The same submission under the same key is the same submission still, and is assessed.
async fn is_known(caller: &Caller, of: &Value, red_flag: bool) {
    let (episode, visit) = (text(of, "episode"), if red_flag { saddle_visit("v1") } else { calm_visit("v1") });
    let again = caller.submit(episode, text(of, "key"), &visit).await.expect("it answers");
    assert!(again.status().is_success(), "{again:?}");
    let again: Value = again.json().await.expect("JSON");
    assert_eq!(text(&again, "id"), text(of, "submission"));
    let kept = caller.json(&format!("/episodes/{episode}")).await;
    assert_eq!(kept["submissions"].as_array().map(Vec::len), Some(1), "it is kept once");
    let result = is_assessed(caller, episode).await;
    assert_eq!(text(&result, "visit"), text(of, "submission"));
    assert_eq!(result["findings"][0]["severity"] == "emergency", red_flag);
}

async fn is_assessed(caller: &Caller, episode: &str) -> Value {
    let path = format!("/episodes/{episode}/assessment");
    let there = || async { caller.get(&path).send().await.expect("it answers").status() == StatusCode::OK };
    eventually("it is assessed", there).await;
    caller.json(&path).await
}

async fn something_new_is_taken(clinic: &Clinic) {
    let caller = clinic.caller();
    let episode = caller.register().await.expect("it answers");
    let answer = caller.submit(&episode, "new", &saddle_visit("v1")).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    is_paged(clinic, &episode).await;
}
