//! `lasegue up` in a container that grants nothing: it may write to its data and to nothing else, as an account that the
//! image does not know, with few open files.

use std::path::Path;

use tempfile::TempDir;

use super::{DR_A, Installation, SECRET, free_address, image, on_call, run};
use crate::caller::Caller;
use crate::pager::Pager;

/// The account, which is not the image's own.
const ACCOUNT: &str = "4242:4242";
/// What the process has of the machine: no temporary folder, no shared memory, no rights, its own addresses.
const GRANTED: [&str; 13] = [
    "--read-only",
    "--ipc=none",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--user",
    ACCOUNT,
    "--ulimit",
    "nofile=256:256",
    "--network=host",
    // The image keeps the secrets of a role elsewhere.
    "--env=LASEGUE_SECRETS=/volume/data",
    "--env=LASEGUE_TOKENS=/volume/data/tokens",
    "--workdir",
    "/",
];
/// In the volume, so that a backup has room beside it.
const DATA: &str = "/volume/data";

/// Everything in one process, in a container.
#[derive(Debug)]
pub struct Contained {
    /// Of the container and of its volume.
    name: String,
    address: String,
    folder: TempDir,
    pager: Pager,
    caller: Caller,
}

impl Contained {
    /// Starts it with `binary` in the image of `deploy` on an empty volume, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready: the test cannot go on.
    pub async fn start(binary: &Path, deploy: &Path) -> Self {
        image::make(binary, deploy);
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let pager = Pager::start(SECRET).await;
        std::fs::write(folder.path().join("lasegue.toml"), on_call(pager.url())).expect("the folder takes a file");
        let address = free_address();
        let name = format!("lasegue-test-{}", address.replace(':', "-"));
        let caller = Caller::new(format!("http://{address}"), String::new());
        let mut contained = Self { name, address, folder, pager, caller };
        contained.give_the_volume_away();
        contained.up().await;
        let token = contained.tokens(&DR_A);
        contained.caller = Caller::new(format!("http://{}", contained.address), token);
        contained
    }

    /// Ends it in good order.
    pub fn stop(&self) {
        run("docker", &["stop", "--time=30", &self.name]);
        run("docker", &["rm", &self.name]);
    }

    /// Starts it in a new container on the same volume.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn up(&self) {
        let config = format!("{}:/etc/lasegue:ro", self.folder.path().display());
        let own = ["--detach", "--name", &self.name, "--volume", &config];
        let command = ["up", "--listen", &self.address, "--config", "/etc/lasegue/lasegue.toml", "--data", DATA];
        self.docker_run(&own, &command);
        self.caller.ready(&self.caller.url, || run("docker", &["logs", &self.name])).await;
    }

    /// Runs `lasegue ARGUMENTS` beside the process and gives what it printed.
    pub fn beside(&self, arguments: &[&str]) -> String {
        let mut all = vec!["exec", &self.name, "lasegue"];
        all.extend(arguments);
        all.extend(["--data", DATA]);
        run("docker", &all)
    }

    /// Runs `lasegue ARGUMENTS` in a container of its own, while the process does not run.
    pub fn alone(&self, arguments: &[&str]) -> String {
        let mut command = arguments.to_vec();
        command.extend(["--data", DATA]);
        self.docker_run(&["--rm"], &command)
    }

    fn docker_run(&self, own: &[&str], command: &[&str]) -> String {
        let volume = format!("{}:/volume", self.name);
        let mut all = vec!["run", "--volume", &volume];
        all.extend(GRANTED);
        all.extend(own);
        all.push(image::NAME);
        all.extend(command);
        run("docker", &all)
    }

    /// A new volume is root's.
    fn give_the_volume_away(&self) {
        let volume = format!("{}:/volume", self.name);
        let given =
            ["run", "--rm", "--user=0", "--entrypoint=chown", "--volume", &volume, image::NAME, ACCOUNT, "/volume"];
        run("docker", &given);
    }
}

impl Installation for Contained {
    fn caller(&self) -> Caller {
        self.caller.clone()
    }

    fn pager(&self) -> &Pager {
        &self.pager
    }

    fn tokens(&self, arguments: &[&str]) -> String {
        self.beside(&[&["token"], arguments].concat())
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let docker = |arguments: &[&str]| std::process::Command::new("docker").args(arguments).output();
        if std::thread::panicking()
            && let Ok(told) = docker(&["logs", "--tail=50", &self.name])
        {
            eprintln!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
        }
        let _ = docker(&["rm", "--force", &self.name]);
        let _ = docker(&["volume", "rm", &self.name]);
    }
}
