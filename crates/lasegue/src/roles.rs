//! What a process does: which services it runs, and whether it is the front door.

use std::collections::BTreeSet;
use std::fmt;

use clap::ValueEnum;
use lasegue_contracts::Service;
use lasegue_platform::store::Migrations;

/// One part of the installation that a process can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// Takes in what is reported.
    Intake,
    /// Evaluates it against the protocol.
    Assessment,
    /// Plans the next visit.
    Scheduling,
    /// Pages people.
    Alerting,
    /// The front door: the pages, and the way to the other roles.
    Web,
}

impl Role {
    const fn service(self) -> Option<Service> {
        match self {
            Self::Intake => Some(Service::Intake),
            Self::Assessment => Some(Service::Assessment),
            Self::Scheduling => Some(Service::Scheduling),
            Self::Alerting => Some(Service::Alerting),
            Self::Web => None,
        }
    }
}

/// The roles of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Roles(BTreeSet<Role>);

impl Roles {
    /// Every role: the whole installation in one process.
    pub(crate) fn all() -> Self {
        Self(Role::value_variants().iter().copied().collect())
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    pub(crate) fn services(&self) -> Vec<Service> {
        self.0.iter().filter_map(|role| role.service()).collect()
    }

    /// The services that other processes run.
    pub(crate) fn elsewhere(&self) -> Vec<Service> {
        let here = self.services();
        Service::ALL.into_iter().filter(|service| !here.contains(service)).collect()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(roles: T) -> Self {
        Self(roles.into_iter().collect())
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|role| role.service().map_or("web", Service::name));
        f.write_str(&names.collect::<Vec<_>>().join(", "))
    }
}

/// What brings the database of `service` up to date.
pub(crate) fn migrations(service: Service) -> Migrations {
    match service {
        Service::Intake => lasegue_intake::MIGRATIONS,
        Service::Assessment => lasegue_assessment::MIGRATIONS,
        Service::Scheduling => lasegue_scheduling::MIGRATIONS,
        Service::Alerting => lasegue_alerting::MIGRATIONS,
    }
}
