//! Each role in a process of its own, as many replicas of it as a test asks for, on NATS and PostgreSQL in containers with
//! the users and roles of `deploy/`. Each part may be killed and started again.

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use serde_json::Value;

use super::ground::Kind;
use super::{DR_A, Ground, Installation, free_address};
use crate::caller::Caller;
use crate::containers::NATS_NEWEST;
use crate::pager::Pager;

/// Lines of each process's log that a failing test shows.
const COMPLAINTS: usize = 10;

/// What a process of the fleet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes in what is reported.
    Intake,
    /// Evaluates it.
    Assessment,
    /// Plans the next visit.
    Scheduling,
    /// Pages people.
    Alerting,
    /// The front door.
    Web,
}

impl Role {
    /// Every role, the front door last.
    pub const ALL: [Self; 5] = [Self::Intake, Self::Assessment, Self::Scheduling, Self::Alerting, Self::Web];

    /// Its name in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Assessment => "assessment",
            Self::Scheduling => "scheduling",
            Self::Alerting => "alerting",
            Self::Web => "web",
        }
    }
}

/// The roles, the servers they stand on, and the pager.
#[derive(Debug)]
pub struct Fleet {
    /// What the roles stand on.
    pub ground: Ground,
    members: Vec<Member>,
    caller: Caller,
}

#[derive(Debug)]
struct Member {
    role: Role,
    address: String,
    child: Child,
}

impl Fleet {
    /// A fleet with `replicas` processes of each role, run by `binary`, ready to be used. The front door knows the first
    /// of each; the others share the events.
    ///
    /// # Panics
    /// When a part of it does not start: the test cannot go on.
    pub async fn open(binary: impl Into<PathBuf>, replicas: usize) -> Self {
        Self::on(Ground::lay(binary, NATS_NEWEST).await, replicas).await
    }

    /// A fleet with one process of each role, whose NATS has a small disk that a test may fill.
    ///
    /// # Panics
    /// When a part of it does not start: the test cannot go on.
    pub async fn open_cramped(binary: impl Into<PathBuf>) -> Self {
        Self::on(Ground::with(binary.into(), NATS_NEWEST, Kind::Cramped).await, 1).await
    }

    /// A fleet with one process of each role, whose PostgreSQL has a standby.
    ///
    /// # Panics
    /// When a part of it does not start: the test cannot go on.
    pub async fn open_followed(binary: impl Into<PathBuf>) -> Self {
        Self::on(Ground::with(binary.into(), NATS_NEWEST, Kind::Followed).await, 1).await
    }

    async fn on(ground: Ground, replicas: usize) -> Self {
        let migrated = ground.run("migrate", &["migrate"]);
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        let own = (1..replicas).flat_map(|_| Role::ALL).map(|role| (role, free_address()));
        let places = ground.places.iter().cloned().chain(own);
        let members = places.map(|(role, address)| Member { child: ground.spawn(role, &address), role, address });
        let caller = Caller::new(format!("http://{}", ground.front_door()), ground.tokens(&DR_A));
        let fleet = Self { members: members.collect(), ground, caller };
        fleet.all_ready().await;
        fleet
    }

    /// How many processes there are; each has an index below that.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// The processes of `role`.
    pub fn of(&self, role: Role) -> Vec<usize> {
        (0..self.size()).filter(|index| self.members[*index].role == role).collect()
    }

    /// Where a process answers.
    pub fn address(&self, index: usize) -> &str {
        &self.members[index].address
    }

    /// A process dies at once, as if the power went.
    ///
    /// # Panics
    /// When it is dead already.
    pub fn kill(&mut self, index: usize) {
        let child = &mut self.members[index].child;
        child.kill().expect("the process runs");
        child.wait().expect("a killed process ends");
    }

    /// A process hangs, with every connection open, until it goes on.
    ///
    /// # Panics
    /// When it is dead.
    pub fn hang(&self, index: usize) {
        self.signal(index, "-STOP");
    }

    /// A process that hung goes on where it was.
    ///
    /// # Panics
    /// When it is dead.
    pub fn go_on(&self, index: usize) {
        self.signal(index, "-CONT");
    }

    fn signal(&self, index: usize, signal: &str) {
        super::run("kill", &[signal, &self.members[index].child.id().to_string()]);
    }

    /// A process starts again.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_again(&mut self, index: usize) {
        let Member { role, address, .. } = &self.members[index];
        self.members[index].child = self.ground.spawn(*role, address);
        self.ready(index).await;
    }

    /// Waits until each process can do its work.
    ///
    /// # Panics
    /// When one does not.
    pub async fn all_ready(&self) {
        for index in 0..self.size() {
            self.ready(index).await;
        }
    }

    async fn ready(&self, index: usize) {
        let address = &self.members[index].address;
        self.caller.ready(&format!("http://{address}"), || self.log(&self.members[index])).await;
    }

    /// What a process says of itself: whether it can do its work, and each check.
    ///
    /// # Panics
    /// When it says nothing.
    pub async fn readiness(&self, index: usize) -> Value {
        let url = format!("http://{}/readyz", self.members[index].address);
        let answer = self.caller.http.get(url).send().await.expect("it answers");
        answer.json().await.expect("JSON")
    }

    fn log(&self, member: &Member) -> String {
        fs::read_to_string(self.ground.log(member.role, &member.address)).unwrap_or_default()
    }

    /// Whether a process lives, and the last of what it found wrong.
    fn state(&mut self, index: usize) -> String {
        let member = &mut self.members[index];
        let lives = match member.child.try_wait() {
            Ok(None) => "lives".to_owned(),
            Ok(Some(status)) => format!("has ended ({status})"),
            Err(error) => format!("is unknown ({error})"),
        };
        let log = self.log(&self.members[index]);
        let wrong: Vec<_> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
        let last = wrong[wrong.len().saturating_sub(COMPLAINTS)..].join("\n");
        let Member { role, address, .. } = &self.members[index];
        format!("{} at {address} {lives}; its last complaints:\n{last}", role.name())
    }
}

impl Installation for Fleet {
    fn caller(&self) -> Caller {
        self.caller.clone()
    }

    fn pager(&self) -> &Pager {
        &self.ground.pager
    }

    fn tokens(&self, arguments: &[&str]) -> String {
        self.ground.tokens(arguments)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for index in 0..self.size() {
                eprintln!("{}", self.state(index));
            }
        }
        for member in &mut self.members {
            let _ = member.child.kill();
            let _ = member.child.wait();
        }
    }
}
