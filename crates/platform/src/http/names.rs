//! Each answer says which services its process runs, so that nobody takes another service's answer for theirs.
//!
//! An address may pass to another process at any time, also under a connection that is kept.

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use lasegue_contracts::Service;
use tower_http::set_header::SetResponseHeaderLayer;

/// The header of every answer, health and errors too, with the names of the services.
pub const SERVICE: HeaderName = HeaderName::from_static("lasegue-service");

/// `router`, whose every answer says that `services` give it. A process without a service says nothing.
pub fn named(router: Router, services: &[Service]) -> Router {
    let names: Vec<_> = services.iter().map(|service| service.name()).collect();
    match HeaderValue::try_from(names.join(", ")) {
        Ok(names) if !names.is_empty() => router.layer(SetResponseHeaderLayer::overriding(SERVICE, names)),
        _ => router,
    }
}
