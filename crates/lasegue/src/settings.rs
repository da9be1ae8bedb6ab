//! The configuration file of a whole process: every service's part of it, under one roof.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use lasegue_alerting::config::{ContactSettings, OnCallSettings, PagingSettings, PolicySettings, RotaSettings};
use serde::Deserialize;

/// What a configuration file may say. Everything may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder of the databases and keys.
    pub(crate) data: PathBuf,
    pub(crate) http: Http,
    pub(crate) log: Log,
    pub(crate) contact: Vec<ContactSettings>,
    pub(crate) rota: Vec<RotaSettings>,
    pub(crate) policy: Vec<PolicySettings>,
    pub(crate) paging: PagingSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("lasegue-data"),
            http: Http::default(),
            log: Log::default(),
            contact: Vec::new(),
            rota: Vec::new(),
            policy: Vec::new(),
            paging: PagingSettings::default(),
        }
    }
}

/// Where the front door listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)) }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// Directives such as `info` or `lasegue_alerting=debug,warn`.
    pub(crate) filter: String,
    /// JSON lines instead of text.
    pub(crate) json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

impl Settings {
    /// Takes over another file's on-call set-up.
    pub(crate) fn take_on_call(&mut self, other: Self) {
        let Self { contact, rota, policy, paging, .. } = other;
        (self.contact, self.rota, self.policy, self.paging) = (contact, rota, policy, paging);
    }

    /// The on-call set-up in it.
    pub(crate) fn on_call(&self) -> OnCallSettings {
        OnCallSettings {
            contact: self.contact.clone(),
            rota: self.rota.clone(),
            policy: self.policy.clone(),
            paging: self.paging.clone(),
        }
    }
}
