//! A backup taken while the process works, and put back: from outside, with the built binary.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use lasegue_testkit::caller::{Caller, calm_visit, saddle_visit};
use lasegue_testkit::installation::Installation;
use lasegue_testkit::wait::{eventually, pause};
use reqwest::StatusCode;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// Runs a command on the data folder, with one more argument before it.
fn lasegue(command: &str, argument: &Path, data: &Path, more: &[&str]) -> Output {
    let mut lasegue = Command::new(BINARY);
    lasegue.arg(command).arg(argument).arg("--data").arg(data).args(more);
    lasegue.output().expect("the binary was built")
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// A patient with one visit, by the episode's id.
async fn patient(caller: &Caller) -> String {
    let episode = caller.register().await.expect("it answers");
    let answer = caller.submit(&episode, "first", &calm_visit("v1")).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    episode
}

async fn is_there(caller: &Caller, episode: &str) -> bool {
    caller.get(&format!("/episodes/{episode}")).send().await.expect("it answers").status() == StatusCode::OK
}

#[tokio::test]
async fn a_backup_of_the_working_process_brings_back_what_was_there() {
    let mut clinic = crate::clinic().await;
    let (caller, data) = (clinic.caller(), clinic.data());
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let backup = folder.path().join("backup");
    let before = patient(&caller).await;
    let is_assessed = || async {
        let answer = caller.get(&format!("/episodes/{before}/assessment")).send().await.expect("it answers");
        answer.status() == StatusCode::OK
    };
    eventually("it is assessed", is_assessed).await;
    assert!(refusal(&lasegue("backup", &data.join("backup"), &data, &[])).contains("is within the data folder"));
    succeeds(&lasegue("backup", &backup, &data, &[]));
    assert!(refusal(&lasegue("backup", &backup, &data, &[])).contains("name a new folder"));
    let after = patient(&caller).await;
    assert!(refusal(&lasegue("restore", &backup, &data, &["--replace"])).contains("in use by another process"));
    // What somebody takes away who believes that a dead process left it.
    fs::remove_file(data.join("lock")).expect("it is there");
    assert!(refusal(&lasegue("restore", &backup, &data, &["--replace"])).contains("in use by another process"));
    assert!(is_there(&caller, &after).await);
    clinic.kill();
    assert!(refusal(&lasegue("restore", &backup, &data, &[])).contains("--replace"));
    succeeds(&lasegue("restore", &backup, &data, &["--replace"]));
    clinic.start_again().await;
    assert!(is_there(&caller, &before).await, "what was there is back, and the token is good still");
    assert!(!is_there(&caller, &after).await, "what came after the backup is not");
    assert!(is_assessed().await);
    patient(&caller).await;
}

#[tokio::test]
async fn a_backup_that_is_damaged_or_was_not_finished_is_refused_and_so_is_a_folder_restored_by_halves() {
    let mut clinic = crate::clinic().await;
    let data = clinic.data();
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let backup = folder.path().join("backup");
    patient(&clinic.caller()).await;
    succeeds(&lasegue("backup", &backup, &data, &[]));
    clinic.kill();
    let doctor =
        || Command::new(BINARY).arg("doctor").arg("--data").arg(&backup).output().expect("the binary was built");
    let up = |folder| Command::new(BINARY).args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(folder).output();
    assert!(refusal(&up(&backup).expect("the binary was built")).contains("backup is a backup, which a process"));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&backup, &link).expect("it can be made");
    for target in [backup.clone(), link.clone(), backup.join("deeper"), link.join("deeper")] {
        let told = refusal(&lasegue("restore", &backup, &target, &["--replace"]));
        assert!(told.contains("is a backup or lies in one"), "{told}");
    }
    succeeds(&doctor());

    let file = backup.join("intake.sqlite");
    let whole = fs::read(&file).expect("it is there");
    let mut damaged = whole.clone();
    damaged[4_096..8_192].fill(0x5a);
    fs::write(&file, damaged).expect("it can be damaged");
    assert_eq!(doctor().status.code(), Some(2));
    let told = refusal(&lasegue("restore", &backup, &data, &["--replace"]));
    assert!(told.contains("intake.sqlite is damaged") && told.ends_with("use another one\n"), "{told}");
    assert!(!told.contains("lasegue restore"), "that is what was done: {told}");
    fs::write(&file, &whole).expect("it can be mended");

    let mut changed = whole.clone();
    let name = changed.windows(6).position(|letters| letters == b"Synthe").expect("the patient's name is in it");
    changed[name..name + 6].copy_from_slice(b"Xyzzyx");
    fs::write(&file, changed).expect("it can be changed");
    let told = doctor();
    assert_eq!(told.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&told.stdout).contains("intake.sqlite is not as the backup wrote it"), "{told:?}");
    let told = refusal(&lasegue("restore", &backup, &data, &["--replace"]));
    assert!(told.contains("intake.sqlite is not as the backup wrote it"), "{told}");
    fs::write(&file, &whole).expect("it can be mended");

    fs::write(&file, "").expect("it can be emptied");
    for told in [refusal(&lasegue("restore", &backup, &data, &["--replace"])), refusal(&doctor())] {
        assert!(told.contains("intake.sqlite is empty"), "{told}");
    }
    fs::remove_file(&file).expect("it is there");
    for told in [refusal(&lasegue("restore", &backup, &data, &["--replace"])), refusal(&doctor())] {
        assert!(told.contains("intake.sqlite is not there"), "{told}");
    }
    fs::write(&file, whole).expect("it can be mended");

    fs::rename(backup.join("backup.json"), folder.path().join("kept")).expect("it is there");
    let told = refusal(&lasegue("restore", &backup, &data, &["--replace"]));
    assert!(told.contains("holds no backup that was finished"), "{told}");
    fs::rename(folder.path().join("kept"), backup.join("backup.json")).expect("it is there");

    fs::write(data.join("restoring"), "").expect("a restore that was killed leaves this");
    assert!(refusal(&up(&data).expect("the binary was built")).contains("run `lasegue restore --replace` again"));
    let told = refusal(&lasegue("backup", &folder.path().join("of-halves"), &data, &[]));
    assert!(told.contains("run `lasegue restore --replace` again"), "{told}");
    succeeds(&lasegue("restore", &backup, &data, &["--replace"]));
    clinic.start_again().await;
}

#[tokio::test]
async fn a_backup_of_a_former_version_without_hashes_is_restored() {
    let mut clinic = crate::clinic().await;
    let data = clinic.data();
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let (backup, caller) = (folder.path().join("backup"), clinic.caller());
    let before = patient(&caller).await;
    succeeds(&lasegue("backup", &backup, &data, &[]));
    let manifest = backup.join("backup.json");
    let mut told: Value = serde_json::from_slice(&fs::read(&manifest).expect("it was made")).expect("JSON");
    let hashes = told.as_object_mut().expect("an object").remove("sha256").expect("the hashes");
    for file in ["intake.sqlite", "alerting.sqlite", "signing.key", "tokens/keys.json"] {
        assert_eq!(hashes[file].as_str().map(str::len), Some(64), "{file}: {hashes}");
    }
    fs::write(&manifest, told.to_string()).expect("it can be written");
    clinic.kill();
    succeeds(&lasegue("restore", &backup, &data, &["--replace"]));
    clinic.start_again().await;
    assert!(is_there(&caller, &before).await);
}

#[test]
fn doctor_says_of_a_folder_that_is_none_what_to_give_it() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    for data in [folder.path().join("nowhere"), folder.path().to_owned()] {
        let told = Command::new(BINARY).arg("doctor").arg("--data").arg(data).output().expect("the binary was built");
        let told = refusal(&told);
        assert!(told.contains("is no data folder: name with --data that of `lasegue up`"), "{told}");
    }
}

#[tokio::test]
async fn no_service_works_while_another_s_database_is_damaged() {
    let mut clinic = crate::clinic().await;
    let caller = clinic.caller();
    clinic.pager().answer(StatusCode::SERVICE_UNAVAILABLE);
    let episode = caller.register().await.expect("it answers");
    caller.submit(&episode, "first", &saddle_visit("v1")).await.expect("it answers");
    let tried = clinic.pager().wait_for(Duration::from_secs(20), |pages| !pages.is_empty()).await;
    tried.expect("a page is tried");
    clinic.kill();
    clinic.pager().answer(StatusCode::OK);
    let file = clinic.data().join("intake.sqlite");
    fs::write(&file, [0x5a; 8_192]).expect("it can be damaged");
    fs::remove_file(file.with_extension("sqlite-wal")).expect("it belongs to what was there");
    pause(Duration::from_secs(2)).await;
    let tried = clinic.pager().pages().len();
    let mut up = Command::new(BINARY);
    up.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(clinic.data()).arg("--config");
    let up = up.arg(clinic.data().with_file_name("lasegue.toml")).output().expect("the binary was built");
    let told = refusal(&up);
    assert!(told.contains("intake.sqlite is damaged") && !told.contains("on call now"), "alerting was started: {told}");
    assert_eq!(clinic.pager().pages().len(), tried, "nobody is paged by a process that cannot start");
}
