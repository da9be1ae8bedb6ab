//! A running `lasegue up` in a folder of its own, that a test may kill and start again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Installation, SECRET, free_address, on_call, token};
use crate::caller::Caller;
use crate::pager::Pager;

/// Everything in one process.
#[derive(Debug)]
pub struct Clinic {
    binary: PathBuf,
    folder: TempDir,
    pager: Pager,
    address: String,
    child: Child,
    caller: Caller,
}

impl Clinic {
    /// A clinic in an empty folder, run by `binary`, ready to be used.
    ///
    /// # Panics
    /// When the binary does not become ready: the test cannot go on.
    pub async fn open(binary: impl Into<PathBuf>) -> Self {
        let binary = binary.into();
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let pager = Pager::start(SECRET).await;
        std::fs::write(folder.path().join("lasegue.toml"), on_call(pager.url())).expect("the folder takes a file");
        let address = free_address();
        let child = spawn(&binary, folder.path(), &address);
        let token = token(&binary, &data(folder.path()), "clinician", "dr-a");
        let caller = Caller::new(format!("http://{address}"), token);
        let clinic = Self { binary, folder, pager, address, child, caller };
        clinic.ready().await;
        clinic
    }

    /// The process dies at once, as if the power went.
    ///
    /// # Panics
    /// When it is dead already.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process runs");
        self.child.wait().expect("a killed process ends");
    }

    /// The process starts again on the same folder.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_again(&mut self) {
        self.child = spawn(&self.binary, self.folder.path(), &self.address);
        self.ready().await;
    }

    async fn ready(&self) {
        self.caller.ready(&self.caller.url, || "lasegue up".to_owned()).await;
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        data(self.folder.path())
    }
}

impl Installation for Clinic {
    fn caller(&self) -> Caller {
        self.caller.clone()
    }

    fn pager(&self) -> &Pager {
        &self.pager
    }

    fn token_of(&self, role: &str, subject: &str) -> String {
        token(&self.binary, &self.data(), role, subject)
    }
}

impl Drop for Clinic {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn spawn(binary: &Path, folder: &Path, address: &str) -> Child {
    Command::new(binary)
        .args(["up", "--listen", address, "--data"])
        .arg(data(folder))
        .arg("--config")
        .arg(folder.join("lasegue.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
}
