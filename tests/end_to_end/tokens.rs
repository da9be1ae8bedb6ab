//! Tokens with a process for each role: what each knows by itself, and what nobody but their maker can do. And with one
//! process: what becomes of them without the key.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_testkit::caller::Caller;
use lasegue_testkit::installation::{Fleet, Installation, Role};
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// An address of each role that an auditor may read; the front door passes its own on to scheduling.
fn door(role: Role) -> &'static str {
    match role {
        Role::Intake => "/episodes/00000000-0000-4000-8000-000000000000",
        Role::Assessment => "/protocols",
        Role::Scheduling | Role::Web => "/worklist",
        Role::Alerting => "/alerts",
    }
}

/// The process at `index`, called with `token`.
async fn status(fleet: &Fleet, index: usize, token: &str) -> StatusCode {
    let role = Role::ALL[index];
    let caller = Caller::new(format!("http://{}", fleet.address(index)), token);
    caller.get(door(role)).send().await.expect("it answers").status()
}

async fn everywhere(fleet: &Fleet, token: &str, known: bool) {
    for index in 0..fleet.size() {
        eventually("the role knows of it", || async {
            (status(fleet, index, token).await != StatusCode::UNAUTHORIZED) == known
        })
        .await;
    }
}

fn make(private: &Path, public: &Path) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["token", "--role", "system", "--data"]).arg(private).arg("--tokens").arg(public);
    command.output().expect("the binary was built")
}

#[tokio::test]
async fn each_role_by_itself_refuses_what_was_taken_back_and_learns_a_new_key() {
    let fleet = Fleet::open(BINARY, 1).await;
    let (leaked, other) = (fleet.token_of("auditor", "leaky"), fleet.token_of("auditor", "olga"));
    everywhere(&fleet, &leaked, true).await;

    // A role's folder makes no token.
    for role in Role::ALL {
        let refused = make(&fleet.ground.secrets(role.name()), &fleet.ground.secrets("tokens"));
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && told.contains("tokens are made with it"), "{role:?}: {told}");
    }

    fleet.tokens(&["revoke", "--subject", "leaky"]);
    let revoked = SystemClock.now();
    everywhere(&fleet, &leaked, false).await;
    eprintln!("refused by every role {} ms after it was revoked", (SystemClock.now() - revoked).num_milliseconds());
    everywhere(&fleet, &other, true).await;

    fleet.tokens(&["rotate"]);
    let newer = fleet.token_of("auditor", "olga");
    for index in 0..fleet.size() {
        assert_ne!(status(&fleet, index, &newer).await, StatusCode::UNAUTHORIZED, "a new key is known before it signs");
    }
    everywhere(&fleet, &other, true).await;

    // Without the list each role goes on with what it knows, and says so.
    let list = fleet.ground.secrets("tokens").join("revoked.json");
    let aside = list.with_extension("aside");
    fs::rename(&list, &aside).expect("it is there");
    for index in 0..fleet.size() {
        let ready = format!("http://{}/readyz", fleet.address(index));
        eventually("the role says so", || async {
            let answer = fleet.caller().http.get(&ready).send().await.expect("it answers");
            let told: Value = answer.json().await.expect("JSON");
            told["checks"]["tokens"].as_str().is_some_and(|told| told.contains("what was known counts on"))
        })
        .await;
    }
    everywhere(&fleet, &leaked, false).await;
    everywhere(&fleet, &newer, true).await;
    fs::rename(&aside, &list).expect("it is there");

    fleet.tokens(&["rotate", "--now"]);
    for ended in [&leaked, &other, &newer] {
        everywhere(&fleet, ended, false).await;
    }
    everywhere(&fleet, &fleet.token_of("auditor", "olga"), true).await;
}

#[tokio::test]
async fn a_lost_key_is_told_with_its_remedy_and_the_remedy_ends_every_token() {
    let mut clinic = crate::clinic().await;
    let (lost, data) = (clinic.token_of("auditor", "olga"), clinic.data());
    clinic.tokens(&["revoke", "--subject", "leaky"]);
    clinic.kill();
    fs::remove_file(data.join("signing.key")).expect("it is there");
    let up = Command::new(BINARY)
        .args(["up", "--without-contacts", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .output();
    let told = String::from_utf8_lossy(&up.expect("the binary was built").stderr).into_owned();
    let keys = data.join("tokens/keys.json");
    assert!(told.contains("signing.key") && told.contains(&format!("remove {}", keys.display())), "{told}");
    fs::remove_file(keys).expect("it is there");
    clinic.start_again().await;
    let status = |token: &str| {
        let caller = Caller::new(clinic.caller().url, token);
        async move { caller.get("/alerts").send().await.expect("it answers").status() }
    };
    assert_eq!(status(&lost).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&clinic.token_of("auditor", "olga")).await, StatusCode::OK);
}

#[tokio::test]
async fn whoever_takes_back_the_tokens_of_a_name_that_has_none_is_told_so() {
    let clinic = crate::clinic().await;
    clinic.token_of("auditor", "leaky");
    let told = |name| clinic.tokens(&["revoke", "--subject", name]);
    assert!(told("leeky").contains("No token in the list is of leeky"), "it may be mistyped");
    assert!(!told("leaky").contains("No token in the list"));
}

#[tokio::test]
async fn no_token_is_made_for_a_folder_that_knows_nothing_of_those_before() {
    let clinic = crate::clinic().await;
    let mistyped = clinic.data().join("tokns");
    let refused = make(&clinic.data(), &mistyped);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("tokns: name with --tokens"), "{told}");
    assert!(!mistyped.exists());
}
