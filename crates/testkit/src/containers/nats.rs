//! A NATS server with JetStream, its store in a folder that a test can copy, put back and empty.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lasegue_platform::bus::authorization;
use tempfile::TempDir;
use testcontainers::ImageExt;
use testcontainers::core::{Mount, WaitFor};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::Server;
use crate::wait::eventually;

/// The oldest version that the bus accepts.
pub const NATS_OLDEST: &str = "2.10.26-alpine";
/// The newest version that the bus is tested on, and the one that `deploy/` uses.
pub const NATS_NEWEST: &str = "2.15.1-alpine";

/// A version that the bus must refuse.
pub const NATS_TOO_OLD: &str = "2.9.10-alpine";

/// Bytes of a disk that a test fills.
const SMALL_DISK: i64 = 64 << 20;
/// Bytes of a stream on it.
const SMALL_STREAM: i64 = 2 << 20;

/// A running NATS server.
#[derive(Debug)]
pub struct Nats {
    server: Server,
    data: TempDir,
    /// Whether its disk is small.
    cramped: bool,
}

impl Nats {
    /// Starts `version` with an empty store and no logins.
    ///
    /// # Panics
    /// When it does not start: the message names the script that makes its image.
    pub async fn start(version: &str) -> Self {
        Self::with(version, None, false).await
    }

    /// Starts `version` with the users of `deploy/`, who have the passwords of `secrets`, made by `lasegue secrets`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn guarded(version: &str, secrets: &Path) -> Self {
        Self::with(version, Some(&users(secrets)), false).await
    }

    /// Starts `version` with the server configuration in `config`, which says nothing about the store.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn configured(version: &str, config: &str) -> Self {
        Self::with(version, Some(config), false).await
    }

    /// Starts `version` without logins and with a small disk for its store, which [`Nats::fill`] fills.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn cramped(version: &str) -> Self {
        Self::with(version, None, true).await
    }

    /// Starts `version` with the users of `deploy/`, as [`Nats::guarded`] does, and a small disk.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn cramped_and_guarded(version: &str, secrets: &Path) -> Self {
        Self::with(version, Some(&users(secrets)), true).await
    }

    /// What one stream may hold, for all streams of several servers to fit on the disk.
    pub const fn stream_bytes(&self) -> i64 {
        if self.cramped { SMALL_STREAM } else { 256 << 20 }
    }

    /// Leaves no room on the small disk.
    pub async fn fill(&self) {
        self.server.answer(&["sh", "-c", "cat /dev/zero > /data/filling 2>/dev/null || true"]).await;
    }

    /// Makes room again on the small disk, for the server that found it full.
    pub async fn make_room(&self) {
        self.server.answer(&["rm", "/data/filling"]).await;
    }

    async fn with(version: &str, config: Option<&str>, cramped: bool) -> Self {
        let data = tempfile::tempdir().expect("the system has a folder for temporary files");
        let store = data.path().join("store");
        fs::create_dir(&store).expect("a folder can be made");
        let owner = fs::metadata(&store).expect("it is there");
        let server = Server::start(("nats", version), 4222, WaitFor::message_on_stderr("Server is ready"), |request| {
            let request = if cramped {
                request.with_mount(Mount::tmpfs_mount("/data").with_size_bytes(SMALL_DISK))
            } else {
                let mount = Mount::bind_mount(store.display().to_string(), "/data");
                request.with_mount(mount).with_user(format!("{}:{}", owner.uid(), owner.gid()))
            };
            let mut command = vec!["nats-server", "--jetstream", "--store_dir", "/data"];
            let request = match config {
                Some(config) => {
                    command.extend(["--config", "/etc/nats.conf"]);
                    request.with_copy_to("/etc/nats.conf", config.as_bytes().to_vec())
                }
                None => request,
            };
            let command = command.join(" ");
            request.with_cmd([
                "sh".to_owned(),
                "-c".to_owned(),
                if cramped { endless(&command) } else { format!("exec {command}") },
            ])
        });
        Self { server: server.await, data, cramped }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.server.port)
    }

    /// The port of [`Nats::url`].
    pub const fn port(&self) -> u16 {
        self.server.port
    }

    /// Kills it and starts it again.
    pub async fn restart(&self) {
        if self.cramped {
            // The small disk is in memory, and would go with the container.
            self.server.answer(&["sh", "-c", "kill -9 $(cat /tmp/server)"]).await;
            return self.greeting().await;
        }
        self.server.kill().await;
        self.start_again().await;
    }

    /// Ends it at once, as a power cut would end it.
    pub async fn die(&self) {
        self.server.kill().await;
    }

    /// Starts it again after [`Nats::die`], on the store that it had.
    pub async fn come_back(&self) {
        self.start_again().await;
    }

    /// Kills it, empties its store and starts it again.
    ///
    /// # Panics
    /// When the store's folder cannot be changed.
    pub async fn wipe(&self) {
        self.server.kill().await;
        empty(&self.store());
        self.start_again().await;
    }

    /// Keeps a copy of its store for [`Nats::lose_tails`], and starts it again.
    ///
    /// # Panics
    /// When the store cannot be copied.
    pub async fn keep_copy(&self) {
        self.server.kill().await;
        copy(&self.store(), &self.data.path().join("copy"));
        self.start_again().await;
    }

    /// Kills it and starts it again with the events of the kept copy: as if all that came later had never reached the
    /// disk, while what it knows of durables had.
    ///
    /// # Panics
    /// When no copy was kept.
    pub async fn lose_tails(&self) {
        self.server.kill().await;
        let streams = Path::new("jetstream/$G/streams");
        let copies = self.data.path().join("copy").join(streams);
        for kept in fs::read_dir(&copies).expect("a copy was kept") {
            let name = kept.expect("the folder can be read").file_name();
            let events = self.store().join(streams).join(&name).join("msgs");
            fs::remove_dir_all(&events).expect("it can be removed");
            copy(&copies.join(&name).join("msgs"), &events);
        }
        self.start_again().await;
    }

    async fn start_again(&self) {
        self.server.start_again().await;
        self.greeting().await;
    }

    async fn greeting(&self) {
        eventually("NATS greets its clients again", || self.greets()).await;
    }

    /// Whether it says the first words of its protocol.
    async fn greets(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.server.port)).await else { return false };
        let mut word = [0; 4];
        stream.read_exact(&mut word).await.is_ok_and(|_| &word == b"INFO")
    }

    fn store(&self) -> PathBuf {
        self.data.path().join("store")
    }
}

/// Runs `server`, and again whenever it has ended.
fn endless(server: &str) -> String {
    format!("while :; do {server} & echo $! > /tmp/server; wait $!; done")
}

/// The users of `deploy/` with the passwords of `secrets`.
fn users(secrets: &Path) -> String {
    fs::read_to_string(secrets.join("nats/passwords.conf")).expect("the secrets were made") + &authorization()
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        fs::remove_dir_all(entry.expect("the folder can be read").path()).expect("it can be removed");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let from = entry.expect("the folder can be read").path();
        let to = to.join(from.file_name().expect("an entry has a name"));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}
