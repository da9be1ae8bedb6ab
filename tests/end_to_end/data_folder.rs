//! A data folder whose name was mistyped: nothing is made there but by `lasegue up`, which says so. And one that is in use:
//! no other process takes it, whatever was removed from it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use lasegue_testkit::installation::{Clinic, Installation};
use lasegue_testkit::wait::pause;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");
/// Each command that looks for an installation, without `--data`. `{}` is a folder of the test's own.
const COMMANDS: [&[&str]; 7] = [
    &["token", "--role", "system"],
    &["token", "list"],
    &["token", "revoke", "--subject", "dr-a"],
    &["token", "rotate", "--now"],
    &["import", "{}/records"],
    &["backup", "{}/backup"],
    &["doctor"],
];

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("it is there");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_looks_for_an_installation_makes_none() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let own = folder.path().to_str().expect("the folder's name is text");
    fs::write(folder.path().join("records"), "").expect("it takes a file");
    let other = folder.path().join("other");
    fs::create_dir(&other).expect("it takes a folder");
    fs::write(other.join("letter.txt"), "Dear colleague").expect("it takes a file");
    for data in [folder.path().join("no/where"), other] {
        for command in COMMANDS {
            let arguments = command.iter().map(|argument| argument.replace("{}", own));
            let told = Command::new(BINARY).args(arguments).arg("--data").arg(&data).output().expect("it was built");
            let reason = String::from_utf8_lossy(&told.stderr).into_owned();
            assert_eq!(told.status.code(), Some(1), "{command:?}: {told:?}");
            assert!(
                reason.contains(data.to_str().expect("text")) && reason.contains("--data"),
                "{command:?}: {reason}"
            );
        }
    }
    assert_eq!(names(folder.path()), ["other", "records"].map(str::to_owned).into());
    assert_eq!(names(&folder.path().join("other")), ["letter.txt"].map(str::to_owned).into());
}

#[tokio::test]
async fn a_start_in_a_folder_without_an_installation_says_that_it_makes_one() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let log = folder.path().join("log");
    let mut clinic = Clinic::open_after(&format!("exec >>{}", log.display()), BINARY).await;
    let line = format!("A new installation in {}.", clinic.data().display());
    let said = || fs::read_to_string(&log).expect("it was made").matches(&line).count();
    assert_eq!(said(), 1);
    clinic.kill();
    clinic.start_again().await;
    assert_eq!(said(), 1);
}

#[tokio::test]
async fn a_second_process_takes_no_folder_in_use_even_when_its_lock_file_was_removed_and_tokens_are_made_meanwhile() {
    let clinic = crate::clinic().await;
    for removed in [false, true] {
        if removed {
            fs::remove_file(clinic.data().join("lock")).expect("it is there");
        }
        let reason = refused_start(&clinic.data());
        assert!(reason.contains("in use by another process"), "{removed}: {reason}");
    }
    assert_eq!(clinic.token_of("auditor", "olga").split('.').count(), 3);
}

/// A start on `data`, which ends with what it says instead of serving.
fn refused_start(data: &Path) -> String {
    let mut start = Command::new("timeout");
    start.args(["30", BINARY, "up", "--without-contacts", "--listen", "127.0.0.1:0", "--data"]);
    let told = start.arg(data).output().expect("it was built");
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    String::from_utf8_lossy(&told.stderr).into_owned()
}

#[tokio::test]
async fn nothing_starts_where_a_database_in_use_is_gone_or_empty() {
    let mut clinic = crate::clinic().await;
    clinic.caller().register().await.expect("it answers");
    clinic.kill();
    let data = clinic.data();
    for marked in [true, false] {
        if !marked {
            fs::remove_file(data.join("installed")).expect("the first start left it");
        }
        for service in ["intake", "assessment", "scheduling", "alerting"] {
            let (file, aside) = (data.join(format!("{service}.sqlite")), data.join("aside"));
            fs::rename(&file, &aside).expect("it is there");
            let reason = refused_start(&data);
            assert!(reason.contains(&format!("{service}.sqlite is not there")), "{reason}");
            assert!(!file.exists(), "nothing is made in its place");
            fs::write(&file, "").expect("the folder takes a file");
            let reason = refused_start(&data);
            assert!(reason.contains(&format!("{service}.sqlite is empty")), "{reason}");
            assert!(reason.contains("lasegue restore BACKUP --data"), "{reason}");
            fs::rename(&aside, &file).expect("it is there");
        }
    }
    clinic.start_again().await;
}

/// A start on `data` without anybody to page.
fn started(data: &Path) -> Child {
    let mut start = Command::new(BINARY);
    start.args(["up", "--without-contacts", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    start.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built")
}

fn kill(mut child: Child) -> Output {
    child.kill().expect("it is ours");
    child.wait_with_output().expect("a killed process ends")
}

#[tokio::test]
async fn a_first_start_that_is_killed_at_any_moment_is_gone_on_with() {
    for seventies in 1..=6 {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let data = folder.path().join("data");
        let first = started(&data);
        pause(Duration::from_millis(70 * seventies)).await;
        kill(first);
        let mut second = started(&data);
        let out = BufReader::new(second.stdout.take().expect("it is piped"));
        // It ends when the process does.
        let is_ready = out.lines().any(|line| line.expect("it prints text").contains("is ready on"));
        let told = kill(second);
        assert!(is_ready, "killed after {seventies}: {}", String::from_utf8_lossy(&told.stderr));
        assert!(data.join("installed").exists());
    }
}
