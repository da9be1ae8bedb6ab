//! A protocol is changed in a running installation: by two people, after a backtest, without a rebuild.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lasegue_testkit::caller::calm_visit;
use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// The built-in protocol with a line changed, in a file.
fn changed(folder: &Path, from: &str, to: &str) -> PathBuf {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocols/lumbosacral-radiculopathy.toml");
    let text = fs::read_to_string(built_in).expect("it is there");
    assert!(text.contains(from), "the protocol has {from}");
    let file = folder.join("changed.toml");
    fs::write(&file, text.replacen(from, to, 1)).expect("the folder takes a file");
    file
}

const RESIDUAL: &str = "[thresholds.residual]\nvalue = 200";

fn lasegue(arguments: &[&str], token: &str) -> Output {
    Command::new(BINARY).args(arguments).env("LASEGUE_TOKEN", token).output().expect("the binary was built")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn owner(clinic: &Clinic, name: &str) -> String {
    let data = clinic.data();
    let data = data.to_str().expect("the folder's name is text");
    said(&lasegue(&["token", "--role", "protocol-owner", "--subject", name, "--data", data], "")).trim().to_owned()
}

/// A visit with 150 mL of residual urine: no danger under 200, an emergency under 100.
fn residual() -> Value {
    let mut visit = calm_visit("v1");
    visit["cauda_equina"]["post_void_residual_ml"] = json!(150);
    visit
}

async fn emergency(clinic: &Clinic, episode: &str) -> Option<bool> {
    let answer = clinic.caller().get(&format!("/episodes/{episode}/assessment")).send().await.ok()?;
    if answer.status() != StatusCode::OK {
        return None;
    }
    let result: Value = answer.json().await.ok()?;
    let findings = result["findings"].as_array()?;
    Some(findings.iter().any(|finding| finding["code"] == "cauda-equina-emergency"))
}

#[tokio::test]
async fn a_changed_threshold_changes_the_result_without_a_rebuild() {
    let clinic = crate::clinic().await;
    let (caller, url) = (clinic.caller(), clinic.caller().url);
    let episode = caller.register().await.expect("it answers");
    caller.submit(&episode, "v1", &residual()).await.expect("it answers");
    eventually("the visit is assessed", || async { emergency(&clinic, &episode).await == Some(false) }).await;

    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let file = changed(folder.path(), RESIDUAL, "[thresholds.residual]\nvalue = 100");
    let (author, approver) = (owner(&clinic, "owner-a"), owner(&clinic, "owner-b"));
    let brought = said(&lasegue(&["protocol", "bring", file.to_str().expect("text"), "--url", &url], &author));
    let sha256 = brought.split("sha256 ").nth(1).and_then(|rest| rest.get(..64)).unwrap_or_else(|| panic!("{brought}"));

    let mut record =
        serde_json::from_str::<Value>(include_str!("../../crates/protocol/tests/cases/01-unremarkable.json"))
            .expect("a golden case is JSON")["record"]
            .clone();
    record["submissions"][0]["cauda_equina"]["post_void_residual_ml"] = json!(150);
    let records = folder.path().join("records.json");
    fs::write(&records, record.to_string()).expect("the folder takes a file");
    let activate = ["protocol", "activate", &sha256[..12], records.to_str().expect("text"), "--url", &url];

    let shown = said(&lasegue(&activate, &approver));
    assert!(shown.contains("1 newly cauda-equina-emergency (emergency)"), "{shown}");
    assert!(shown.contains("Nothing was activated."), "{shown}");
    let with_yes = [&activate[..], &["--yes"]].concat();
    let own_work = said(&lasegue(&with_yes, &author));
    assert!(own_work.contains("a protocol's author cannot activate it"), "{own_work}");
    assert_eq!(emergency(&clinic, &episode).await, Some(false));

    let activated = said(&lasegue(&with_yes, &approver));
    assert!(activated.contains("active; every episode is judged again"), "{activated}");
    eventually("the visit is judged by the new rules", || async { emergency(&clinic, &episode).await == Some(true) })
        .await;
    assert!(clinic.pager().pages().is_empty(), "what is new only because of the rules pages nobody");
    let again = said(&lasegue(&with_yes, &approver));
    assert!(again.contains("the active one already"), "{again}");
}

#[tokio::test]
async fn an_unsafe_threshold_is_refused_with_a_sentence() {
    let clinic = crate::clinic().await;
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let file = changed(folder.path(), RESIDUAL, "[thresholds.residual]\nvalue = 500");
    let file = file.to_str().expect("text");
    let refused =
        said(&lasegue(&["protocol", "bring", file, "--url", &clinic.caller().url], &owner(&clinic, "owner-a")));
    for told in [said(&lasegue(&["protocol", "check", file], "")), refused] {
        assert!(told.contains("urine left after voiding that is an emergency"), "{told}");
        assert!(told.contains("500") && told.contains("100") && told.contains("200"), "{told}");
    }
}
