//! What processes of their own stand on: NATS and PostgreSQL in containers with the users and roles of `deploy/`, secrets,
//! a configuration, and a pager.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Output};

use tempfile::TempDir;

use super::fleet::Role;
use super::{SECRET, free_address, on_call, run, token};
use crate::containers::{Nats, Postgres};
use crate::pager::Pager;

/// The servers, and a folder with what a process needs to know of them.
#[derive(Debug)]
pub struct Ground {
    /// The bus.
    pub nats: Nats,
    /// The databases.
    pub postgres: Postgres,
    pub(super) pager: Pager,
    /// Where the front door looks for each role.
    pub(super) places: [(Role, String); 5],
    binary: PathBuf,
    folder: TempDir,
}

impl Ground {
    /// Starts the servers, NATS in `version`, for processes run by `binary`. The databases are empty.
    ///
    /// # Panics
    /// When a server does not start: the test cannot go on.
    pub async fn lay(binary: impl Into<PathBuf>, version: &str) -> Self {
        let binary = binary.into();
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let secrets = folder.path().join("secrets");
        run(&binary, &["secrets", secrets.to_str().expect("the folder's name is text")]);
        let pager = Pager::start(SECRET).await;
        let (nats, postgres) = tokio::join!(Nats::guarded(version, &secrets), Postgres::guarded(&secrets));
        let places = Role::ALL.map(|role| (role, free_address()));
        let ground = Self { nats, postgres, pager, places, binary, folder };
        fs::write(ground.folder.path().join("lasegue.toml"), ground.configuration()).expect("the folder takes a file");
        ground
    }

    /// Runs `lasegue ARGUMENTS` with the secrets of `name` to its end.
    ///
    /// # Panics
    /// When the binary was not built.
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        self.command(name, arguments).output().expect("the binary was built")
    }

    pub(super) fn spawn(&self, role: Role, address: &str) -> Child {
        let log = File::options().create(true).append(true).open(self.log(role, address));
        let log = log.expect("the folder takes a file");
        self.command(role.name(), &["run", role.name(), "--listen", address])
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("the binary was built")
    }

    /// What a process has printed.
    pub(super) fn log(&self, role: Role, address: &str) -> PathBuf {
        let port = address.rsplit(':').next().unwrap_or_default();
        self.folder.path().join(format!("{}-{port}.log", role.name()))
    }

    pub(super) fn front_door(&self) -> &str {
        let [.., (_, front_door)] = &self.places;
        front_door
    }

    pub(super) fn token(&self, role: &str, subject: &str) -> String {
        token(&self.binary, &self.folder.path().join("secrets/web"), role, subject)
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--config").arg(self.folder.path().join("lasegue.toml"));
        command.env("LASEGUE_SECRETS", self.folder.path().join("secrets").join(name));
        command
    }

    fn configuration(&self) -> String {
        let [services @ .., _] = &self.places;
        let services: Vec<_> =
            services.iter().map(|(role, address)| format!("{} = \"http://{address}\"", role.name())).collect();
        format!(
            "[nats]\nurl = \"{}\"\n[postgres]\nurl = \"{}\"\n[services]\n{}\n{}",
            self.nats.url(),
            self.postgres.address(),
            services.join("\n"),
            on_call(self.pager.url())
        )
    }
}
