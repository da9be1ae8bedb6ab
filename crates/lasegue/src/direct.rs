//! `[direct]`: where the services take events straight from each other when NATS does not take them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use axum::http::Uri;
use lasegue_contracts::Service;
use lasegue_platform::bus::Bus;
use lasegue_platform::clock::SharedClock;
use lasegue_platform::direct::{Peers, TwoWays, live_consumers};
use serde::Deserialize;

use crate::secrets::Secrets;

/// This process's own address for services, and those of the others.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Direct {
    pub(crate) listen: SocketAddr,
    intake: Option<String>,
    assessment: Option<String>,
    scheduling: Option<String>,
    alerting: Option<String>,
}

impl Default for Direct {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            intake: None,
            assessment: None,
            scheduling: None,
            alerting: None,
        }
    }
}

impl Direct {
    /// `queue`, and beside it the way from `services` to those who read what they send.
    ///
    /// # Errors
    /// When one of those has no address, or a secret is missing.
    pub(crate) fn beside(
        &self,
        queue: Arc<dyn Bus>,
        services: &[Service],
        secrets: &Secrets,
        clock: &SharedClock,
    ) -> anyhow::Result<TwoWays> {
        let mut peers = Peers::new(clock.clone());
        let elsewhere = |service: &Service| !services.contains(service);
        for service in services {
            for other in Service::ALL.into_iter().filter(elsewhere) {
                peers = peers.sharing(*service, other, secrets.direct(*service, other)?);
            }
            for reader in live_consumers(*service).map(|consumer| consumer.owner).filter(elsewhere) {
                peers = peers.at(reader, self.address(reader)?);
            }
        }
        Ok(TwoWays::new(queue, peers, clock.clone()))
    }

    pub(crate) fn address(&self, service: Service) -> anyhow::Result<Uri> {
        let address = match service {
            Service::Intake => self.intake.as_deref(),
            Service::Assessment => self.assessment.as_deref(),
            Service::Scheduling => self.scheduling.as_deref(),
            Service::Alerting => self.alerting.as_deref(),
        };
        let address = address.with_context(|| {
            format!("it is not known where {service} takes events when NATS does not take them: name it under [direct], like {service} = \"http://{service}:8081\"")
        })?;
        let uri: Option<Uri> = address.parse().ok();
        let plain = |uri: &Uri| {
            uri.scheme_str() == Some("http") && uri.authority().is_some() && uri.path() == "/" && uri.query().is_none()
        };
        uri.filter(plain).with_context(|| {
            format!("[direct] {service} is no address: write it like \"http://{service}:8081\", without a path")
        })
    }
}

#[cfg(test)]
mod tests {
    use lasegue_platform::config;

    use super::*;
    use crate::settings::Settings;

    fn address(given: Option<&str>) -> Result<String, String> {
        let direct = Direct { alerting: given.map(str::to_owned), ..Direct::default() };
        direct.address(Service::Alerting).map(|uri| uri.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_configuration_knows_the_way_to_every_reader() {
        let shipped = include_str!("../../../deploy/lasegue.toml");
        let settings: Settings = config::parse(shipped).expect("it is a configuration");
        for reader in Service::ALL.into_iter().flat_map(live_consumers).map(|consumer| consumer.owner) {
            settings.direct.address(reader).expect("it has an address");
        }
    }

    #[test]
    fn an_address_that_is_missing_or_none_is_told_with_how_to_write_it() {
        assert_eq!(address(Some("http://alerting:8081")).as_deref(), Ok("http://alerting:8081/"));
        for wrong in [None, Some("alerting:8081"), Some("https://alerting"), Some("http://alerting/x"), Some("")] {
            assert!(address(wrong).expect_err("it is none").contains("http://alerting:8081"), "{wrong:?}");
        }
    }
}
