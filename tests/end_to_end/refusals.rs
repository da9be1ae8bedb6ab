//! What does not start, and what it says to whoever started it.

use std::fs;
use std::process::{Command, Output};

use lasegue_testkit::containers::{NATS_NEWEST, NATS_TOO_OLD};
use lasegue_testkit::installation::Ground;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// What a process that refused to start said.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("it prints text")
}

fn lasegue(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().expect("the binary was built")
}

/// A folder with what makes tokens.
fn secrets() -> TempDir {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    assert!(lasegue(&["secrets", folder.path().to_str().expect("text")]).status.success());
    folder
}

fn token(secrets: &TempDir, rest: &[&str]) -> Output {
    let [private, public] = ["token", "tokens"].map(|name| secrets.path().join(name));
    let [private, public] = [&private, &public].map(|folder| folder.to_str().expect("text"));
    lasegue(&[&["token", "--data", private, "--tokens", public], rest].concat())
}

#[test]
fn roles_apart_need_servers() {
    let told = refusal(&lasegue(&["run", "intake"]));
    assert!(told.contains("name [nats] and [postgres]") && told.contains("`lasegue up`"), "{told}");
}

#[test]
fn nobody_to_page_is_refused_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let folder = folder.path().to_str().expect("the folder's name is text");
    let told = refusal(&lasegue(&["up", "--listen", "127.0.0.1:0", "--data", folder]));
    assert!(told.contains("nobody can be paged") && told.contains("--without-contacts"), "{told}");
}

#[test]
fn a_person_s_token_needs_a_name_that_can_be_read() {
    let secrets = secrets();
    let token = |rest: &[&str]| token(&secrets, rest);
    for role in ["clinician", "coordinator", "protocol-owner", "auditor", "operator"] {
        let told = refusal(&token(&["--role", role]));
        assert!(told.contains(&format!("each {role} signs by name: say with --subject")), "{told}");
    }
    for name in ["", " ", "dr\na", "dr\u{202e}a", "\u{200b}"] {
        assert_eq!(token(&["--role", "clinician", "--subject", name]).status.code(), Some(2), "{name:?}");
    }
    assert!(token(&["--role", "system"]).status.success());
    assert!(token(&["--role", "clinician", "--subject", "dr-a"]).status.success());
}

#[test]
fn a_token_lives_as_long_as_its_role_lets_it() {
    let secrets = secrets();
    let token = |role, hours| token(&secrets, &["--role", role, "--subject", "dr-a", "--hours", hours]);
    assert!(token("clinician", "24").status.success());
    let told = refusal(&token("clinician", "25"));
    assert!(told.contains("the token of a clinician is valid for 24 hours at most"), "{told}");
    assert!(token("system", "2160").status.success());
    assert!(!token("system", "2161").status.success());
}

#[tokio::test]
async fn a_role_that_cannot_read_what_was_revoked_does_not_start() {
    let ground = Ground::lay(BINARY, NATS_NEWEST).await;
    std::fs::remove_file(ground.secrets("tokens").join("revoked.json")).expect("it was made");
    let told = refusal(&ground.run("intake", &["run", "intake", "--listen", "127.0.0.1:0"]));
    assert!(told.contains("the list of revoked tokens") && told.contains("lasegue token rotate --now"), "{told}");
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
async fn a_database_that_refuses_the_password_is_named_once_with_where_the_password_is() {
    let ground = Ground::lay(BINARY, NATS_NEWEST).await;
    fs::write(ground.secrets("intake").join("postgres-intake"), "another").expect("it can be changed");
    let told = refusal(&ground.run("intake", &["run", "intake", "--listen", "127.0.0.1:0"]));
    assert!(told.contains("refuses the password of its role intake") && told.contains("postgres-intake"), "{told}");
    assert!(told.contains("ALTER ROLE") && told.matches("password authentication failed").count() <= 1, "{told}");
}

#[tokio::test]
async fn a_role_without_its_secrets_is_told_what_makes_them() {
    let ground = Ground::lay(BINARY, NATS_NEWEST).await;
    let told = refusal(&ground.run("web", &["run", "intake", "--listen", "127.0.0.1:0"]));
    assert!(told.contains("postgres-intake cannot be read") && told.contains("lasegue secrets"), "{told}");
}
