//! What does not start, and what it says to whoever started it.

use std::process::{Command, Output};

use lasegue_testkit::containers::{NATS_NEWEST, NATS_TOO_OLD};
use lasegue_testkit::installation::Ground;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// What a process that refused to start said.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("it prints text")
}

fn lasegue(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().expect("the binary was built")
}

#[test]
fn roles_apart_need_servers() {
    let told = refusal(&lasegue(&["run", "intake"]));
    assert!(told.contains("name [nats] and [postgres]") && told.contains("`lasegue up`"), "{told}");
}

#[tokio::test]
async fn one_process_needs_none() {
    let ground = Ground::lay(BINARY, NATS_NEWEST).await;
    let told = refusal(&ground.run("intake", &["up"]));
    assert!(told.contains("runs without servers"), "{told}");
}

#[tokio::test]
async fn a_role_waits_for_no_migration_of_its_own() {
    let ground = Ground::lay(BINARY, NATS_NEWEST).await;
    let told = refusal(&ground.run("intake", &["run", "intake", "--listen", "127.0.0.1:0"]));
    assert!(told.contains("pending migrations: run `lasegue migrate` first"), "{told}");
}

#[tokio::test]
async fn a_server_that_is_too_old_is_named_with_what_to_install() {
    let ground = Ground::lay(BINARY, NATS_TOO_OLD).await;
    let told = refusal(&ground.run("intake", &["run", "intake", "--listen", "127.0.0.1:0"]));
    assert!(told.contains("the NATS server is version 2.9.10") && told.contains("install 2.10 or newer"), "{told}");
}

#[tokio::test]
async fn a_role_without_its_secrets_is_told_what_makes_them() {
    let ground = Ground::lay(BINARY, NATS_NEWEST).await;
    let told = refusal(&ground.run("web", &["run", "intake", "--listen", "127.0.0.1:0"]));
    assert!(told.contains("postgres-intake cannot be read") && told.contains("lasegue secrets"), "{told}");
}
