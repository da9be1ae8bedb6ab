//! The headers of a call on its way through the door.

use axum::http::header::{
    CONNECTION, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use lasegue_contracts::Service;
use lasegue_platform::http::{REQUEST_ID, RequestId, SERVICE};
use lasegue_platform::telemetry::TraceContext;

/// Makes the caller's headers those of a call to `authority`; the request's id and trace go on with it.
pub(super) fn of_request(headers: &mut HeaderMap, authority: &Authority) {
    drop_connection_headers(headers);
    let id = RequestId::current().map(|id| id.to_string());
    let trace = Some(TraceContext::current().to_string());
    let host = Some(authority.to_string());
    for (name, value) in [(REQUEST_ID, id), ("traceparent", trace), (HOST.as_str(), host)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Makes a service's headers those of the door's answer.
pub(super) fn of_answer(headers: &mut HeaderMap) {
    drop_connection_headers(headers);
    headers.remove(&SERVICE);
}

/// Whether `service` is among those that the answer says it comes from.
pub(super) fn prove(headers: &HeaderMap, service: Service) -> bool {
    let named = headers.get_all(&SERVICE).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|names| names.split(',')).any(|name| name.trim() == service.name())
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
