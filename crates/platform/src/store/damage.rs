//! Damage that a service meets in its database while it runs: noted once, and shown until the process is started again.
//!
//! What needs a damaged page fails, all else goes on. SQLite commits no transaction in which it met damage: once it has, each
//! unit has a commit of its own, so that none takes another with it.

use std::path::PathBuf;
use std::sync::OnceLock;

use lasegue_contracts::Service;
use sea_orm::DbErr;

use super::{Location, fault};

/// What is known of damage in one database.
#[derive(Debug)]
pub(super) struct Damage {
    service: Service,
    /// None on a server.
    file: Option<PathBuf>,
    met: OnceLock<String>,
}

impl Damage {
    /// None known yet.
    pub(super) fn none(service: Service, location: &Location) -> Self {
        let file = match location {
            Location::Sqlite(file) => Some(file.clone()),
            Location::Postgres(_) => None,
        };
        Self { service, file, met: OnceLock::new() }
    }

    /// Whose database it is.
    pub(super) const fn service(&self) -> Service {
        self.service
    }

    /// Notes `error`, if it is the first that tells of damage.
    pub(super) fn note(&self, error: &DbErr) {
        if fault::is_damage(error)
            && self.met.set(error.to_string()).is_ok()
            && let Err(damage) = self.is_whole()
        {
            tracing::error!(service = %self.service, damage);
        }
    }

    /// Whether any was met.
    pub(super) fn is_met(&self) -> bool {
        self.met.get().is_some()
    }

    /// Nothing as long as no damage was met, otherwise what was met where, and what to do.
    pub(super) fn is_whole(&self) -> Result<(), String> {
        let (service, Some(what)) = (self.service, self.met.get()) else { return Ok(()) };
        Err(match &self.file {
            Some(file) => format!(
                "the {service} database {} is damaged ({what}): `lasegue doctor` says which are; end the process, put a backup of the data folder in its place with `lasegue restore --replace`, and start it again",
                file.display()
            ),
            None => format!(
                "the {service} database in PostgreSQL is damaged ({what}): look after the server's disk, put a backup of the schema {service} in its place, and start the service again"
            ),
        })
    }
}
