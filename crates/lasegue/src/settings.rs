//! The configuration file of a whole process: every service's part of it, under one roof.

pub(crate) mod written;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use lasegue_alerting::config::{
    ContactSettings, HeartbeatSettings, OnCallSettings, PagingSettings, PolicySettings, RotaSettings,
};
use lasegue_console::Remote;
use lasegue_contracts::Service;
use lasegue_platform::auth::Folders;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::direct::Direct;
use crate::secrets::Secrets;

/// What a configuration file may say. Everything may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder of the databases and keys.
    pub(crate) data: PathBuf,
    /// The folder of the passwords; without one they are in `data`.
    secrets: Option<PathBuf>,
    /// The folder of the keys that verify tokens and of those that were revoked; without one it is `tokens` in `secrets`.
    tokens: Option<PathBuf>,
    nats: Option<Nats>,
    postgres: Option<Postgres>,
    services: Services,
    pub(crate) direct: Direct,
    pub(crate) http: Http,
    pub(crate) log: Log,
    pub(crate) contact: Vec<ContactSettings>,
    pub(crate) rota: Vec<RotaSettings>,
    pub(crate) policy: Vec<PolicySettings>,
    pub(crate) paging: PagingSettings,
    pub(crate) heartbeat: Option<HeartbeatSettings>,
    pub(crate) backup: Backup,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("lasegue-data"),
            secrets: None,
            tokens: None,
            nats: None,
            postgres: None,
            services: Services::default(),
            direct: Direct::default(),
            http: Http::default(),
            log: Log::default(),
            contact: Vec::new(),
            rota: Vec::new(),
            policy: Vec::new(),
            paging: PagingSettings::default(),
            heartbeat: None,
            backup: Backup::default(),
        }
    }
}

/// What is kept for the sake of backups.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Backup {
    /// How old a backup may be when it is restored, in days: the same in every process.
    #[serde(deserialize_with = "written::days")]
    restorable_days: u16,
}

impl Default for Backup {
    fn default() -> Self {
        Self { restorable_days: 14 }
    }
}

impl Backup {
    /// How old a backup may be when it is restored.
    pub(crate) fn restorable(&self) -> Duration {
        Duration::from_hours(24 * u64::from(self.restorable_days))
    }
}

/// Where the front door listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    #[serde(deserialize_with = "written::listen")]
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

/// The NATS servers that carry the events between processes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nats {
    /// `nats://host:port`, several with commas between.
    pub(crate) url: String,
    /// Copies of each stream: 3 in a cluster of three.
    #[serde(default = "one")]
    pub(crate) replicas: usize,
    /// The most bytes that one stream may hold; what comes beyond waits in the outbox.
    #[serde(default = "a_gibibyte", deserialize_with = "written::bytes")]
    pub(crate) max_stream_bytes: i64,
}

const fn one() -> usize {
    1
}

const fn a_gibibyte() -> i64 {
    1 << 30
}

/// The PostgreSQL server with every service's schema.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Postgres {
    /// `postgres://host:port/database`, without a role and its password: each service has its own.
    url: String,
}

impl Postgres {
    /// The address for `service`.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn address(&self, service: Service, password: &SecretString) -> anyhow::Result<SecretString> {
        let hint =
            "[postgres] url is no address: write it like postgres://host:5432/lasegue, without role and password";
        let mut url: Url = self.url.parse().context(hint)?;
        ensure!(url.scheme() == "postgres" && url.username().is_empty() && url.password().is_none(), hint);
        let set = url.set_username(service.name()).and_then(|()| url.set_password(Some(password.expose_secret())));
        ensure!(set.is_ok(), hint);
        Ok(String::from(url).into())
    }
}

/// Where the front door finds the services that run in other processes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Services {
    intake: Option<String>,
    assessment: Option<String>,
    scheduling: Option<String>,
    alerting: Option<String>,
}

impl Services {
    fn address(&self, service: Service) -> Option<&str> {
        match service {
            Service::Intake => self.intake.as_deref(),
            Service::Assessment => self.assessment.as_deref(),
            Service::Scheduling => self.scheduling.as_deref(),
            Service::Alerting => self.alerting.as_deref(),
        }
    }
}

/// The servers outside of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Servers<'a> {
    pub(crate) nats: &'a Nats,
    pub(crate) postgres: &'a Postgres,
}

impl Settings {
    /// The servers, if bus and databases are outside of the process.
    ///
    /// # Errors
    /// When only one of them is named, or an address is none or holds a password.
    pub(crate) fn servers(&self) -> anyhow::Result<Option<Servers<'_>>> {
        ensure!(
            self.nats.as_ref().is_none_or(|nats| nats.url.split(',').all(is_of_nats)),
            "[nats] url is no address, or holds a name or a password: write it like nats://host:4222, each service has its own in the secrets"
        );
        match (&self.nats, &self.postgres) {
            (Some(nats), Some(postgres)) => Ok(Some(Servers { nats, postgres })),
            (None, None) => Ok(None),
            (Some(_), None) => bail!("the configuration names [nats] and no [postgres]: name both, or neither"),
            (None, Some(_)) => bail!("the configuration names [postgres] and no [nats]: name both, or neither"),
        }
    }

    /// Where `services` listen.
    ///
    /// # Errors
    /// When one of them has no address.
    pub(crate) fn remotes(&self, services: &[Service]) -> anyhow::Result<BTreeMap<Service, Remote>> {
        let remote = |service: &Service| {
            let address = self.services.address(*service).with_context(|| {
                format!("the front door does not know where {service} is: name it under [services], like {service} = \"http://{service}:8080\"")
            })?;
            Ok((*service, address.parse()?))
        };
        services.iter().map(remote).collect()
    }

    /// The folder of the passwords.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets(self.secrets.clone().unwrap_or_else(|| self.data.clone()))
    }

    /// Where tokens are made and verified.
    pub(crate) fn tokens(&self) -> Folders {
        let Folders { private, public } = Folders::of_data(&self.secrets().0);
        Folders { private, public: self.tokens.clone().unwrap_or(public) }
    }

    /// Takes over another file's on-call set-up.
    pub(crate) fn take_on_call(&mut self, other: Self) {
        let Self { contact, rota, policy, paging, .. } = other;
        (self.contact, self.rota, self.policy, self.paging) = (contact, rota, policy, paging);
    }

    /// Nobody need be on call, if that is what the command line says.
    pub(crate) fn without_contacts(&mut self, asked: bool) {
        self.paging.without_contacts |= asked;
    }

    /// The on-call set-up in it.
    pub(crate) fn on_call(&self) -> OnCallSettings {
        OnCallSettings {
            contact: self.contact.clone(),
            rota: self.rota.clone(),
            policy: self.policy.clone(),
            paging: self.paging.clone(),
            heartbeat: self.heartbeat.clone(),
        }
    }
}

/// Whether `address` leads to a server and says nothing of who goes there.
fn is_of_nats(address: &str) -> bool {
    let address = if address.contains("://") { address.to_owned() } else { format!("nats://{address}") };
    let leads = |url: Url| matches!(url.scheme(), "nats" | "tls") && url.has_host();
    !address.contains('@') && Url::parse(&address).is_ok_and(leads)
}

#[cfg(test)]
mod unsaid;

#[cfg(test)]
mod tests {
    use lasegue_platform::config;

    use super::*;

    fn settings(text: &str) -> Settings {
        config::parse(text).expect("it is a configuration")
    }

    fn address(url: &str) -> Result<String, String> {
        let postgres = Postgres { url: url.to_owned() };
        let address = postgres.address(Service::Intake, &"p@ss/word".to_owned().into());
        address.map(|address| address.expose_secret().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_service_has_its_own_role_at_the_database() {
        let expected = "postgres://intake:p%40ss%2Fword@db:5432/lasegue?sslmode=verify-full";
        assert_eq!(address("postgres://db:5432/lasegue?sslmode=verify-full").as_deref(), Ok(expected));
    }

    #[test]
    fn an_address_that_is_none_or_names_a_role_is_refused() {
        for url in ["db", "http://db/lasegue", "postgres://admin@db/lasegue", "postgres://:x@db/lasegue"] {
            assert!(address(url).expect_err(url).contains("write it like"), "{url}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_and_not_repeated() {
        let nats = settings("[nats]\nurl = \"nats://a:4222,nats://me:s3cret@b:4222\"");
        let services = settings("[services]\nintake = \"http://me:s3cret@intake:8080\"");
        let refusals = [nats.servers().map(|_| ()), services.remotes(&[Service::Intake]).map(|_| ())];
        for refusal in refusals {
            let refusal = format!("{:#}", refusal.expect_err("it holds a password"));
            assert!(refusal.contains("write it like") && !refusal.contains("s3cret"), "{refusal}");
        }
        let postgres = settings("[nats]\nurl = \"nats://n\"\n[postgres]\nurl = \"postgres://me:s3cret@p/l\"");
        let servers = postgres.servers().expect("both are named").expect("both are named");
        let refusal = servers.postgres.address(Service::Intake, &"x".to_owned().into()).expect_err("it names a role");
        assert!(!format!("{refusal:#}").contains("s3cret"), "{refusal:#}");
    }

    #[test]
    fn half_of_the_servers_is_refused() {
        let error = settings("[nats]\nurl = \"nats://n:4222\"").servers().expect_err("PostgreSQL is missing");
        assert!(error.to_string().contains("no [postgres]"), "{error}");
        let error = settings("[postgres]\nurl = \"postgres://p/l\"").servers().expect_err("NATS is missing");
        assert!(error.to_string().contains("no [nats]"), "{error}");
        assert!(settings("").servers().is_ok_and(|servers| servers.is_none()));
    }

    #[test]
    fn a_service_without_an_address_is_named_with_how_to_give_one() {
        let settings = settings("[services]\nintake = \"http://intake:8080\"");
        assert!(settings.remotes(&[Service::Intake]).is_ok());
        let error = settings.remotes(&[Service::Alerting]).expect_err("it has none").to_string();
        assert!(error.contains("alerting = \"http://alerting:8080\""), "{error}");
    }
}
