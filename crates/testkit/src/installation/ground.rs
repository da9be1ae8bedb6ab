//! What processes of their own stand on: NATS and PostgreSQL in containers with the users and roles of `deploy/`, secrets,
//! a configuration, and a pager.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Output};

use tempfile::TempDir;

use super::fleet::Role;
use super::{SECRET, free_address, on_call, run, tokens};
use crate::containers::{Nats, Postgres};
use crate::firewall::Firewall;
use crate::pager::Pager;

/// What is unusual about the servers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Usual,
    /// NATS has a small disk, which a test may fill.
    Cramped,
    /// PostgreSQL has a standby.
    Followed,
}

/// A standby of the databases' server, and the one address under which the roles know both.
#[derive(Debug)]
pub struct Standby {
    /// The standby, until it is promoted.
    pub server: Postgres,
    address: Firewall,
}

impl Standby {
    /// From now on the roles' address leads to the standby. Connections to the other server stay.
    pub fn takes_the_address(&self) {
        self.address.lead_to(self.server.port());
    }
}

/// The servers, and a folder with what a process needs to know of them.
#[derive(Debug)]
pub struct Ground {
    /// The bus.
    pub nats: Nats,
    /// The databases.
    pub postgres: Postgres,
    /// What follows them, where a test asked for it.
    pub standby: Option<Standby>,
    pub(super) pager: Pager,
    /// Where the front door looks for each role.
    pub(super) places: [(Role, String); 5],
    /// Where each of those takes events from hand to hand.
    directs: [String; 5],
    binary: PathBuf,
    folder: TempDir,
}

impl Ground {
    /// Starts the servers, NATS in `version`, for processes run by `binary`. The databases are empty.
    ///
    /// # Panics
    /// When a server does not start: the test cannot go on.
    pub async fn lay(binary: impl Into<PathBuf>, version: &str) -> Self {
        Self::with(binary.into(), version, Kind::Usual).await
    }

    pub(super) async fn with(binary: PathBuf, version: &str, kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let secrets = folder.path().join("secrets");
        run(&binary, &["secrets", secrets.to_str().expect("the folder's name is text")]);
        let pager = Pager::start(SECRET).await;
        let nats = async {
            if kind == Kind::Cramped {
                Nats::cramped_and_guarded(version, &secrets).await
            } else {
                Nats::guarded(version, &secrets).await
            }
        };
        let (nats, postgres) = tokio::join!(nats, Postgres::guarded(&secrets));
        let standby = if kind == Kind::Followed {
            let (server, address) = tokio::join!(postgres.standby(), Firewall::before(postgres.port()));
            Some(Standby { server, address })
        } else {
            None
        };
        let places = Role::ALL.map(|role| (role, free_address()));
        let directs = Role::ALL.map(|_| free_address());
        let ground = Self { nats, postgres, standby, pager, places, directs, binary, folder };
        fs::write(ground.folder.path().join("lasegue.toml"), ground.configuration()).expect("the folder takes a file");
        ground
    }

    /// The password of the NATS user of `role`, as somebody finds it who has got into that process.
    ///
    /// # Panics
    /// When the role has none.
    pub fn nats_password(&self, role: Role) -> String {
        let name = role.name();
        let file = self.folder.path().join("secrets").join(name).join(format!("nats-{name}"));
        fs::read_to_string(file).expect("the secrets were made")
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
            .env("LASEGUE_DIRECT__LISTEN", self.direct(role, address))
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("the binary was built")
    }

    /// Where a process takes events from hand to hand: the first of its role where the others look for it.
    fn direct(&self, role: Role, address: &str) -> String {
        let first = self.places.iter().position(|(known, place)| *known == role && place == address);
        first.map_or_else(free_address, |index| self.directs[index].clone())
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

    pub(super) fn tokens(&self, arguments: &[&str]) -> String {
        tokens(&self.binary, &self.secrets("token"), &self.secrets("tokens"), arguments)
    }

    /// The folder with the secrets of a process.
    pub fn secrets(&self, name: &str) -> PathBuf {
        self.folder.path().join("secrets").join(name)
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--config").arg(self.folder.path().join("lasegue.toml"));
        command.env("LASEGUE_SECRETS", self.secrets(name)).env("LASEGUE_TOKENS", self.secrets("tokens"));
        command
    }

    fn configuration(&self) -> String {
        let [services @ .., _] = &self.places;
        let services: Vec<_> =
            services.iter().map(|(role, address)| format!("{} = \"http://{address}\"", role.name())).collect();
        let [readers @ .., _] = Role::ALL;
        let directs = readers.iter().zip(&self.directs);
        let directs: Vec<_> =
            directs.map(|(role, address)| format!("{} = \"http://{address}\"", role.name())).collect();
        let postgres = self.standby.as_ref().map_or(self.postgres.port(), |standby| standby.address.port());
        format!(
            "[nats]\nurl = \"{}\"\nmax_stream_bytes = {}\n[postgres]\nurl = \"{}\"\n[services]\n{}\n[direct]\n{}\n{}",
            self.nats.url(),
            self.nats.stream_bytes(),
            Postgres::address_at(postgres),
            services.join("\n"),
            directs.join("\n"),
            on_call(self.pager.url())
        )
    }
}
