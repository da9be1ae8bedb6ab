//! The golden cases, twice: through `lasegue evaluate`, and through the whole installation by import. Both must find what
//! the case expects, and so the same.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// The cases in the order of their names.
fn cases() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/cases");
    let mut files: Vec<_> =
        folder.read_dir().expect("the cases are there").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let read = |file| serde_json::from_slice(&std::fs::read(file).expect("it can be read")).expect("a case is JSON");
    files.into_iter().map(read).collect()
}

fn evaluate(records: &[&Value]) -> Vec<Value> {
    let mut child = Command::new(BINARY)
        .args(["evaluate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    let mut input = child.stdin.take().expect("it was piped");
    let lines: String = records.iter().map(|record| record.to_string() + "\n").collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writing.join().expect("it writes").expect("it takes its input");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("it prints text");
    text.lines().map(|line| serde_json::from_str(line).expect("it prints JSON")).collect()
}

/// What a clinician reads of a finding, without the ids of submissions.
fn finding(finding: &Value) -> String {
    let fields = ["code", "side", "severity", "status", "qualifiers", "suppressed_by", "respond_by", "text"];
    fields.map(|field| finding[field].to_string()).join(" ")
}

fn findings(result: &Value) -> Vec<String> {
    result["findings"].as_array().expect("a list").iter().map(finding).collect()
}

fn is_alike(found: &Value, expected: &Value) -> bool {
    findings(found) == findings(expected)
        && ["next_visit", "scores"].iter().all(|field| found[field] == expected[field])
}

/// The code, side and severity of each finding above info.
fn grave(findings: &Value) -> BTreeSet<[String; 3]> {
    let all = findings.as_array().expect("a list").iter();
    let above = all.filter(|finding| finding["severity"] != "info");
    above.map(|finding| ["code", "side", "severity"].map(|field| finding[field].to_string())).collect()
}

#[test]
fn the_command_finds_what_every_case_expects() {
    let cases = cases();
    let results = evaluate(&cases.iter().map(|case| &case["record"]).collect::<Vec<_>>());
    assert_eq!(results.len(), cases.len());
    for (case, result) in cases.iter().zip(&results) {
        assert_eq!(grave(&result["findings"]), grave(&case["expect"]["findings"]), "{}", case["name"]);
        assert_eq!(result["next_visit"], case["expect"]["next_visit"], "{}", case["name"]);
    }
}

#[tokio::test]
async fn the_installation_finds_what_the_command_finds() {
    let cases = cases();
    let records: Vec<_> = cases.iter().map(named).collect();
    let expected = evaluate(&records.iter().collect::<Vec<_>>());
    let clinic = crate::clinic().await;
    let episodes = import(&clinic, &records).await;
    let caller = clinic.caller();
    for ((case, episode), expected) in cases.iter().zip(episodes).zip(expected) {
        // How many evaluations that takes depends on how many of its pieces waited together.
        let name = format!("{}: the installation finds what the command finds", case["name"]);
        eventually(&name, || async {
            let answer = caller.get(&format!("/episodes/{episode}/assessment")).send().await.expect("it answers");
            answer.status() == StatusCode::OK && is_alike(&answer.json().await.expect("JSON"), &expected)
        })
        .await;
    }
    assert!(clinic.pager().pages().is_empty(), "imported visits of long ago page nobody");
}

/// The case's record under the case's name, so that no two are taken for one.
fn named(case: &Value) -> Value {
    let mut record = case["record"].clone();
    record["patient"]["id"] = case["name"].clone();
    record["episode"]["id"] = json!("1");
    record
}

async fn import(clinic: &Clinic, records: &[Value]) -> Vec<String> {
    let caller = clinic.caller();
    let lines: String = records.iter().map(|record| record.to_string() + "\n").collect();
    let request = caller.http.post(format!("{}/api/v1/imports", caller.url)).bearer_auth(clinic.token_for("system"));
    let answer = request.body(lines).send().await.expect("it answers").text().await.expect("text");
    let episode = |line: &str| {
        let outcome: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(outcome["outcome"], "accepted", "{outcome}");
        outcome["episode"].as_str().expect("an id").to_owned()
    };
    answer.lines().map(episode).collect()
}
