//! A running `lasegue up` in a folder of its own, that a test may kill and start again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{DR_A, Installation, SECRET, free_address, on_call, tokens};
use crate::caller::Caller;
use crate::pager::Pager;

/// Everything in one process.
#[derive(Debug)]
pub struct Clinic {
    binary: PathBuf,
    folder: TempDir,
    pager: Pager,
    address: String,
    /// What the shell does before it becomes the process.
    prelude: String,
    child: Child,
    caller: Caller,
}

impl Clinic {
    /// A clinic in an empty folder, run by `binary`, ready to be used.
    ///
    /// # Panics
    /// When the binary does not become ready: the test cannot go on.
    pub async fn open(binary: impl Into<PathBuf>) -> Self {
        Self::open_after("", binary).await
    }

    /// The same after a shell has carried out `prelude`: limits, variables, where the output goes.
    ///
    /// # Panics
    /// When the binary does not become ready: the test cannot go on.
    pub async fn open_after(prelude: &str, binary: impl Into<PathBuf>) -> Self {
        Self::begin(prelude, binary.into(), |_| ()).await
    }

    /// A clinic on the data folder that `put` puts at the path that it is given.
    ///
    /// # Panics
    /// When the binary does not become ready: the test cannot go on.
    pub async fn open_on(binary: impl Into<PathBuf>, put: impl FnOnce(&Path)) -> Self {
        Self::begin("", binary.into(), put).await
    }

    async fn begin(prelude: &str, binary: PathBuf, put: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        put(&data(folder.path()));
        let pager = Pager::start(SECRET).await;
        std::fs::write(folder.path().join("lasegue.toml"), on_call(pager.url())).expect("the folder takes a file");
        let address = free_address();
        let child = spawn(prelude, &binary, folder.path(), &address);
        let caller = Caller::new(format!("http://{address}"), String::new());
        let mut clinic = Self { binary, folder, pager, address, prelude: prelude.to_owned(), child, caller };
        clinic.ready().await;
        clinic.caller = Caller::new(clinic.caller.url.clone(), clinic.tokens(&DR_A));
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
        self.child = spawn(&self.prelude, &self.binary, self.folder.path(), &self.address);
        self.ready().await;
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The process's id.
    pub fn process(&self) -> u32 {
        self.child.id()
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

    fn tokens(&self, arguments: &[&str]) -> String {
        tokens_in(&self.binary, &self.data(), arguments)
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

fn tokens_in(binary: &Path, data: &Path, arguments: &[&str]) -> String {
    tokens(binary, data, &data.join("tokens"), arguments)
}

fn spawn(prelude: &str, binary: &Path, folder: &Path, address: &str) -> Child {
    Command::new("sh")
        .args(["-c", &format!("{prelude}\nexec \"$0\" \"$@\"")])
        .arg(binary)
        .args(["up", "--listen", address, "--data"])
        .arg(data(folder))
        .arg("--config")
        .arg(folder.join("lasegue.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
}
