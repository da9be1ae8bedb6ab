//! The headers of a call on its way through the door.

use std::net::IpAddr;

use axum::http::header::{
    CONNECTION, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use lasegue_contracts::Service;
use lasegue_platform::http::{PEER, REQUEST_ID, RequestId, SERVICE};
use lasegue_platform::telemetry::TraceContext;

/// Makes the caller's headers those of a call to `authority`; the request's id and trace go on with it, and from where it
/// came.
pub(super) fn of_request(headers: &mut HeaderMap, authority: &Authority, peer: Option<IpAddr>) {
    drop_connection_headers(headers);
    headers.remove(PEER);
    let id = RequestId::current().map(|id| id.to_string());
    let trace = Some(TraceContext::current().to_string());
    let host = Some(authority.to_string());
    let peer = peer.map(|peer| peer.to_string());
    let given = [
        (HeaderName::from_static(REQUEST_ID), id),
        (HeaderName::from_static("traceparent"), trace),
        (HOST, host),
        (PEER, peer),
    ];
    for (name, value) in given {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_hears_from_where_a_call_came_and_not_what_the_caller_says_about_it() {
        let authority = Authority::from_static("intake:8080");
        let mut headers = HeaderMap::from_iter([(PEER, HeaderValue::from_static("203.0.113.9"))]);
        of_request(&mut headers, &authority, Some([10, 0, 0, 7].into()));
        assert_eq!(headers[PEER], "10.0.0.7");
        of_request(&mut headers, &authority, None);
        assert!(!headers.contains_key(PEER));
    }
}
