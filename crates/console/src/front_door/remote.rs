//! Where a service listens, as the configuration writes it.

use axum::http::uri::{Authority, InvalidUri, Scheme, Uri};

/// Where a service listens: `http://host:port`. A host name with several addresses stands for several replicas; one
/// that does not answer is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote(Authority);

/// Why an address is no service's.
#[derive(Debug, thiserror::Error)]
#[error("an address under [services] is none, or holds a name, a password or a path: write it like http://intake:8080")]
pub struct RemoteError {
    source: Option<InvalidUri>,
}

impl Remote {
    /// Host and port as they are written.
    pub(super) fn authority(&self) -> &Authority {
        &self.0
    }

    /// What is looked up: a name or an address, without the brackets of IPv6.
    pub(super) fn host(&self) -> &str {
        self.0.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or(80)
    }
}

impl std::str::FromStr for Remote {
    type Err = RemoteError;

    fn from_str(address: &str) -> Result<Self, RemoteError> {
        let error = |source| RemoteError { source };
        let uri: Uri = address.parse().map_err(|source| error(Some(source)))?;
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.path_and_query().is_none_or(|rest| rest == "/");
        uri.into_parts()
            .authority
            .filter(|authority| plain && !authority.as_str().contains('@'))
            .map(Self)
            .ok_or_else(|| error(None))
    }
}
