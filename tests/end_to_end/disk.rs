//! A disk that fills up under the one process, with its data and its log on it, files that may not grow, and what it leaves
//! on a disk.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lasegue_testkit::caller::{Caller, registration, saddle_visit};
use lasegue_testkit::installation::{SECRET, free_address, on_call};
use lasegue_testkit::pager::{Page, Pager};
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde_json::json;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");
/// Visits of as many patients while the disk is full: more than fit into what the logs of the databases hold already.
const VISITS: usize = 100;
/// How long a page may take: the operator is paged after half a minute, and what waits is tried again after as long.
const PAGED_WITHIN: Duration = Duration::from_secs(90);

/// A file system of its own, small enough to be filled.
struct Disk(TempDir);

impl Disk {
    /// None where this user may not mount one.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=40m", "lasegue"]).arg(folder.path()).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(folder))
    }

    /// Says who is paged.
    fn contacts(&self, pager: &Pager) -> PathBuf {
        let config = self.0.path().join("lasegue.toml");
        fs::write(&config, on_call(pager.url())).expect("it takes a file still");
        config
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("it takes a file still");
        for size in [1 << 20, 4_096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.filler()).expect("it is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

/// `lasegue up` whose standard output takes nothing and whose log is beside its data.
struct Up {
    folder: PathBuf,
    address: String,
    child: Child,
}

impl Up {
    async fn start(folder: &Path, contacts: &[&str]) -> (Self, Caller) {
        Self::start_after("umask 000", folder, contacts).await
    }

    /// After the shell has carried out `prelude`.
    async fn start_after(prelude: &str, folder: &Path, contacts: &[&str]) -> (Self, Caller) {
        let address = free_address();
        let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("it takes a file");
        let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has a device that is always full");
        let child = Command::new("sh")
            .args(["-c", &format!("{prelude}; exec \"$0\" \"$@\""), BINARY, "up", "--listen", &address, "--data"])
            .arg(folder.join("data"))
            .args(contacts)
            .stdout(full)
            .stderr(log)
            .spawn()
            .expect("the binary was built");
        let up = Self { folder: folder.to_owned(), address, child };
        let url = format!("http://{}", up.address);
        Caller::new(&url, "").ready(&url, || up.log()).await;
        let token = Command::new(BINARY)
            .args(["token", "--role", "clinician", "--subject", "dr-a", "--data"])
            .arg(folder.join("data"))
            .output()
            .expect("the binary was built");
        let token = String::from_utf8(token.stdout).expect("a token is text").trim().to_owned();
        (up, Caller::new(url, token))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends it in good order.
    fn end(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|status| status.success()));
        let ended = self.child.wait().expect("it ends");
        assert!(ended.success(), "not in good order: {}", self.log());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn readiness(caller: &Caller) -> StatusCode {
    let answer = caller.http.get(format!("{}/readyz", caller.url)).send().await.expect("it answers");
    answer.status()
}

fn is_for_the_operator(page: &Page) -> bool {
    page.text("severity") == "operator"
}

async fn each_red_flag_is_paged(pager: &Pager, count: usize) {
    let alerts = |pages: &[Page]| {
        let emergencies = pages.iter().filter(|page| page.text("severity") == "emergency");
        emergencies.map(|page| page.text("reference")).collect::<BTreeSet<_>>().len()
    };
    let all = pager.wait_for(PAGED_WITHIN, |pages| alerts(pages) >= count).await;
    assert!(all.is_ok(), "{count} red flags, {} pages", pager.pages().len());
}

#[tokio::test]
async fn a_full_disk_refuses_what_it_cannot_keep_pages_the_operator_loses_nothing_and_heals() {
    let Some(disk) = Disk::mount() else {
        eprintln!("SKIPPED: only root may mount the small disk that this test fills");
        return;
    };
    let pager = Pager::start(SECRET).await;
    let config = disk.contacts(&pager);
    let contacts = ["--config", config.to_str().expect("it is text")];
    let (up, caller) = Up::start(disk.0.path(), &contacts).await;
    let mut episodes = Vec::new();
    for _ in 0..2 * VISITS {
        episodes.push(caller.register().await.expect("there is room"));
    }
    disk.fill();
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for episode in &episodes[..VISITS] {
        let answer = caller.submit(episode, "first", &saddle_visit("v1")).await.expect("every request is answered");
        if answer.status() == StatusCode::ACCEPTED {
            accepted.push(episode);
        } else {
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key(RETRY_AFTER));
            refused += 1;
        }
    }
    assert!(refused > 0, "the disk was not full");
    eventually("it is not ready", || async { readiness(&caller).await == StatusCode::SERVICE_UNAVAILABLE }).await;
    let told = pager.wait_for(PAGED_WITHIN, |pages| pages.iter().any(is_for_the_operator)).await;
    let told = told.unwrap_or_else(|pages| panic!("the operator is not paged: {pages:#?}, {}", up.log()));
    assert!(told.iter().all(|page| page.signed));
    disk.make_room();
    eventually("it is ready again", || async { readiness(&caller).await == StatusCode::OK }).await;
    for episode in episodes.iter().filter(|episode| !accepted.contains(episode)) {
        let answer = caller.submit(episode, "first", &saddle_visit("v1")).await.expect("it answers");
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    each_red_flag_is_paged(&pager, episodes.len()).await;
    let alarms = |pages: Vec<Page>| pages.iter().filter(|page| page.body["alerts"] == json!([])).count();
    assert_eq!(alarms(pager.pages()), alarms(told), "the alarm has ended");
    up.end();
    let (_up, caller) = Up::start(disk.0.path(), &contacts).await;
    for episode in &episodes {
        let kept = caller.json(&format!("/episodes/{episode}")).await;
        assert_eq!(kept["submissions"].as_array().map(Vec::len), Some(1), "accepted once and kept once");
        eventually("its red flag is found", || async {
            let result = caller.get(&format!("/episodes/{episode}/assessment")).send().await.expect("it answers");
            let result: serde_json::Value = result.json().await.unwrap_or_default();
            result["findings"][0]["severity"] == "emergency"
        })
        .await;
    }
}

/// In blocks of 512 bytes: room for a start, and for little beyond.
const LARGEST_FILE: &str = "ulimit -S -f 3000";

#[tokio::test]
async fn files_that_may_not_grow_refuse_what_they_cannot_keep_and_end_no_process() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let (mut up, caller) = Up::start_after(LARGEST_FILE, folder.path(), &["--without-contacts"]).await;
    let mut episodes = Vec::new();
    let refused = loop {
        let answer = caller.post("/episodes", &registration()).send().await.expect("every request is answered");
        if answer.status() != StatusCode::CREATED {
            break answer;
        }
        episodes.push(answer.json::<serde_json::Value>().await.expect("JSON")["id"].clone());
        assert!(episodes.len() < 5_000, "the files were not too large");
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    eventually("it is not ready", || async { readiness(&caller).await == StatusCode::SERVICE_UNAVAILABLE }).await;
    assert!(up.child.try_wait().expect("it is ours").is_none(), "it has ended: {}", up.log());
    let pid = up.child.id().to_string();
    let raised = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid]).status();
    assert!(raised.is_ok_and(|status| status.success()));
    eventually("it is ready again", || async { readiness(&caller).await == StatusCode::OK }).await;
    for episode in &episodes {
        caller.json(&format!("/episodes/{}", episode.as_str().expect("an id"))).await;
    }
    up.end();
}

#[tokio::test]
async fn the_data_folder_is_its_owners_alone_and_after_an_orderly_end_each_database_is_one_file() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let (up, caller) = Up::start(folder.path(), &["--without-contacts"]).await;
    caller.register().await.expect("it answers");
    let data = folder.path().join("data");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let files = || fs::read_dir(&data).expect("a folder").map(|entry| entry.expect("an entry").path());
    assert_eq!(mode(&data), 0o700);
    for file in files() {
        assert_eq!(mode(&file) & 0o077, 0, "{}", file.display());
    }
    up.end();
    for log in files().filter(|file| file.to_string_lossy().ends_with("-wal")) {
        assert_eq!(fs::metadata(&log).expect("it is there").len(), 0, "{}", log.display());
    }
}
