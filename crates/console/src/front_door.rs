//! The front door: passes each call of the interface on to the process of the service that answers it, unchanged.
//!
//! Who may do what is decided there, not here; the door only knows the way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CONNECTION, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::{Authority, InvalidUri, PathAndQuery, Scheme, Uri};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::any;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lasegue_contracts::Service;
use lasegue_contracts::routes::ROUTES;
use lasegue_platform::chain;
use lasegue_platform::http::{Health, Problem, REQUEST_ID, RequestId, Routes};
use lasegue_platform::telemetry::TraceContext;

/// How long a connection to a service may take to be made, over all addresses of its name.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long a service may take to say how it is.
const SAY_WITHIN: Duration = Duration::from_secs(2);

/// Where a service listens: `http://host:port`. A host name with several addresses stands for several replicas; one
/// that does not answer is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote(Authority);

/// Why an address is no service's.
#[derive(Debug, thiserror::Error)]
#[error("{address:?} is no address of a service: write it like http://intake:8080")]
pub struct RemoteError {
    address: String,
    source: Option<InvalidUri>,
}

impl std::str::FromStr for Remote {
    type Err = RemoteError;

    fn from_str(address: &str) -> Result<Self, RemoteError> {
        let error = |source| RemoteError { address: address.to_owned(), source };
        let uri: Uri = address.parse().map_err(|source| error(Some(source)))?;
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.path_and_query().is_none_or(|rest| rest == "/");
        uri.into_parts().authority.filter(|_| plain).map(Self).ok_or_else(|| error(None))
    }
}

/// Routes that pass calls on to `remotes`, by the table of the contracts. `health` shows how each of them is; the door
/// itself stays ready when one is not, for the others still answer.
pub fn pass_on(remotes: &BTreeMap<Service, Remote>, health: &Health) -> Routes {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_WITHIN));
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let ways: BTreeMap<_, _> = remotes
        .iter()
        .map(|(service, remote)| {
            let way = Arc::new(Way { service: *service, remote: remote.clone(), client: client.clone() });
            (*service, way)
        })
        .collect();
    for way in ways.values().cloned() {
        health.watch(way.service.name(), move || {
            let way = way.clone();
            async move { way.is_ready().await }
        });
    }
    ROUTES
        .iter()
        .filter_map(|(path, service)| Some((path, ways.get(service)?.clone())))
        .fold(Routes::new(), |routes, (path, way)| routes.elsewhere(path, any(pass).with_state(way)))
}

/// The way to one service.
#[derive(Debug)]
struct Way {
    service: Service,
    remote: Remote,
    client: Client<HttpConnector, Body>,
}

impl Way {
    fn uri(&self, path: PathAndQuery) -> Uri {
        let mut parts = axum::http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.remote.0.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).expect("scheme, authority and path make an address")
    }

    async fn is_ready(&self) -> Result<(), String> {
        let asked = self.client.get(self.uri(PathAndQuery::from_static("/readyz")));
        match tokio::time::timeout(SAY_WITHIN, asked).await {
            Ok(Ok(answer)) if answer.status() == StatusCode::OK => Ok(()),
            Ok(Ok(_)) => Err("it is not ready".to_owned()),
            Ok(Err(_)) => Err("it cannot be reached".to_owned()),
            Err(_) => Err("it does not answer".to_owned()),
        }
    }
}

async fn pass(State(way): State<Arc<Way>>, mut request: Request) -> Result<Response, Problem> {
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = way.uri(path);
    let headers = request.headers_mut();
    drop_connection_headers(headers);
    headers.remove(HOST);
    mark(headers);
    match way.client.request(request).await {
        Ok(answer) => {
            let mut answer = answer.map(Body::new);
            drop_connection_headers(answer.headers_mut());
            Ok(answer)
        }
        Err(error) => {
            tracing::warn!(service = %way.service, error = %chain(&error), "a service could not be reached");
            Err(Problem::unavailable(format!(
                "The {} service does not answer now. Send the request again, with the same Idempotency-Key if it has one.",
                way.service
            )))
        }
    }
}

/// The request's id and trace go on with it.
fn mark(headers: &mut HeaderMap) {
    let id = RequestId::current().map(|id| id.to_string());
    let trace = Some(TraceContext::current().to_string());
    for (name, value) in [(REQUEST_ID, id), ("traceparent", trace)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
}

/// Removes what speaks of one connection only (RFC 9110, 7.6.1).
fn drop_connection_headers(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<_> =
        named.flat_map(|names| names.split(',')).filter_map(|name| name.trim().parse::<HeaderName>().ok()).collect();
    let always = [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    for name in named.into_iter().chain(always).chain([HeaderName::from_static("keep-alive")]) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
