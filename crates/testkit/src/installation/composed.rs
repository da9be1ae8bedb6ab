//! The Compose file of `deploy/`, started as a health system would start it, with the image of the binary under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::container::Container;
use super::{DR_A, Installation, SECRET, free_address, image, on_call};
use crate::caller::Caller;
use crate::pager::Pager;

/// A running Compose project.
#[derive(Debug)]
pub struct Composed {
    project: Project,
    pager: Pager,
    caller: Caller,
}

impl Composed {
    /// Starts the Compose file in `deploy` with `binary` in its image, and waits until it is healthy.
    ///
    /// # Panics
    /// When it does not start: the test cannot go on.
    pub async fn start(binary: &Path, deploy: &Path) -> Self {
        image::make(binary, deploy);
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let pager = Pager::start_for_containers(SECRET).await;
        let config = fs::read_to_string(deploy.join("lasegue.toml")).expect("it is there") + &on_call(pager.url());
        fs::write(folder.path().join("lasegue.toml"), config).expect("the folder takes a file");
        fs::write(folder.path().join("pager.yaml"), way_to_the_pager()).expect("the folder takes a file");
        let project = Project { deploy: deploy.to_owned(), address: free_address(), folder };
        project.compose(&["up", "--detach"]);
        let token = project.tokens(&DR_A);
        let caller = Caller::new(format!("http://{}", project.address), token);
        let composed = Self { project, pager, caller };
        composed.healthy().await;
        composed
    }

    /// Its containers, those that have done their work and ended among them.
    pub fn containers(&self) -> Vec<Container> {
        Container::of(&Project::name())
    }

    /// Waits until the front door finds every service well.
    async fn healthy(&self) {
        crate::wait::eventually("every service behind the front door is well", || async {
            let Ok(answer) = self.caller.http.get(format!("{}/readyz", self.caller.url)).send().await else {
                return false;
            };
            let told: serde_json::Value = answer.json().await.unwrap_or_default();
            told["checks"].as_object().is_some_and(|checks| checks.values().all(|check| check == "ok"))
        })
        .await;
    }
}

impl Installation for Composed {
    fn caller(&self) -> Caller {
        self.caller.clone()
    }

    fn pager(&self) -> &Pager {
        &self.pager
    }

    fn tokens(&self, arguments: &[&str]) -> String {
        self.project.tokens(arguments)
    }
}

/// The containers and volumes, which go when this is dropped.
#[derive(Debug)]
struct Project {
    deploy: PathBuf,
    address: String,
    folder: TempDir,
}

impl Project {
    fn name() -> String {
        format!("lasegue-test-{}", std::process::id())
    }

    fn compose(&self, arguments: &[&str]) -> String {
        let output = compose_command()
            .args(["--project-name", &Self::name(), "--file"])
            .arg(self.deploy.join("compose.yaml"))
            .arg("--file")
            .arg(self.folder.path().join("pager.yaml"))
            .args(arguments)
            .env("LASEGUE_IMAGE", image::NAME)
            .env("LASEGUE_LISTEN", &self.address)
            .env("LASEGUE_CONFIG", self.folder.path().join("lasegue.toml"))
            .output()
            .expect("docker-compose is installed");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || std::thread::panicking(), "compose {arguments:?}: {told}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn tokens(&self, arguments: &[&str]) -> String {
        self.compose(&[&["run", "--rm", "-T", "token"], arguments].concat())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.compose(&["logs", "--no-color", "--tail=50"]));
        }
        self.compose(&["down", "--volumes", "--timeout=5"]);
    }
}

/// `docker compose` where Docker has it, or the older program of its own.
fn compose_command() -> Command {
    let mut plugin = Command::new("docker");
    if plugin.args(["compose", "version"]).output().is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("docker");
        command.arg("compose");
        command
    } else {
        Command::new("docker-compose")
    }
}

/// Containers reach the pager, which runs on this machine, by a name of its own.
fn way_to_the_pager() -> &'static str {
    "services:\n  alerting:\n    extra_hosts: [\"pager:host-gateway\"]\n"
}
