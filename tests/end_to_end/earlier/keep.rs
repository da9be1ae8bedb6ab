//! Makes the archive of this version: a data folder whose process was killed while it owed work.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lasegue_testkit::caller::{Caller, calm_visit, import_record, saddle_visit};
use lasegue_testkit::installation::{Clinic, Installation};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{BINARY, folder, is_assessed, tar};

/// Records of the import that is under way.
const RECORDS: usize = 20;

#[tokio::test]
#[ignore = "makes an archive in tests/end_to_end/earlier: run it with `cargo xtask keep`"]
async fn a_data_folder_of_this_version_is_kept() {
    let archive = folder().join(concat!(env!("CARGO_PKG_VERSION"), ".tar.gz"));
    assert!(!archive.exists(), "{} is there: remove it first", archive.display());
    let mut clinic = Clinic::open(BINARY).await;
    clinic.pager().answer(StatusCode::SERVICE_UNAVAILABLE);
    let left = work_under_way(&clinic).await;
    clinic.kill();
    pack(&archive, &clinic.data(), &left);
}

/// A calm patient who is done with, a red flag whose page does not get through, and, at the last instant, an import and
/// another red flag that were only accepted.
async fn work_under_way(clinic: &Clinic) -> Value {
    let caller = clinic.caller();
    let calm = submit(&caller, caller.register().await.expect("it answers"), &calm_visit("v1")).await;
    is_assessed(&caller, calm["episode"].as_str().expect("an id")).await;
    let paging = submit(&caller, caller.register().await.expect("it answers"), &saddle_visit("v1")).await;
    let tried = clinic.pager().wait_for(Duration::from_secs(30), |pages| !pages.is_empty()).await;
    tried.expect("the page is tried");
    let last = caller.register().await.expect("it answers");
    let system = Caller::new(&caller.url, clinic.token_for("system"));
    let imported = import(&system).await;
    json!({ "calm": calm, "paging": paging, "accepted": submit(&caller, last, &saddle_visit("v1")).await, "imported": imported })
}

async fn submit(caller: &Caller, episode: String, visit: &Value) -> Value {
    let key = format!("key-of-{episode}");
    let answer = caller.submit(&episode, &key, visit).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let answer: Value = answer.json().await.expect("JSON");
    json!({ "episode": episode, "key": key, "submission": answer["id"] })
}

async fn import(caller: &Caller) -> Vec<Value> {
    let lines: String =
        (0..RECORDS).map(|record| import_record(&format!("kept-{record}")).to_string() + "\n").collect();
    let answer = caller.post("/imports", &Value::Null).body(lines).send().await.expect("it answers");
    let answer = answer.error_for_status().expect("it is taken").text().await.expect("text");
    let episode = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["episode"].clone();
    answer.lines().map(episode).collect()
}

fn pack(archive: &Path, data: &Path, left: &Value) {
    let place = data.parent().expect("it lies in a folder");
    fs::write(place.join("left.json"), serde_json::to_vec_pretty(left).expect("JSON")).expect("it takes a file");
    tar("-czf", archive, place, &["data", "left.json"]);
    println!("{}: {} bytes", archive.display(), fs::metadata(archive).expect("it was made").len());
}
