//! From where a request came: the address at the other end of its connection, and what a front door there says of its own.
//!
//! A front door is believed no further than that: both addresses are told, so that who reaches a service without one hides
//! nothing.

use std::fmt;
use std::net::IpAddr;

use axum::extract::Request;
use axum::http::HeaderName;

use super::listener::Arrived;

/// The header in which the front door tells a service from where a call came.
pub const PEER: HeaderName = HeaderName::from_static("lasegue-peer");

/// From where a request came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    /// The other end of the connection; a test has none.
    pub address: Option<IpAddr>,
    /// The address that a front door there names.
    pub named: Option<IpAddr>,
}

impl Peer {
    /// That of `request`.
    pub fn of(request: &Request) -> Self {
        let named = request.headers().get(PEER).and_then(|value| value.to_str().ok()?.parse().ok());
        Self { address: request.extensions().get::<Arrived>().map(|arrived| arrived.peer), named }
    }
}

/// `10.0.0.5`, or `203.0.113.9 by 10.0.0.5`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.named, self.address) {
            (Some(named), Some(address)) => write!(f, "{named} by {address}"),
            (Some(named), None) => write!(f, "{named} by nobody"),
            (None, Some(address)) => write!(f, "{address}"),
            (None, None) => f.write_str("nowhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::http::listener::Pace;

    #[test]
    fn what_a_door_names_never_hides_the_other_end_of_the_connection() {
        let arrived = Arrived { urgent_only: false, pace: Pace::default(), peer: [10, 0, 0, 5].into() };
        for (named, told) in [
            (None, "10.0.0.5"),
            (Some("203.0.113.9"), "203.0.113.9 by 10.0.0.5"),
            (Some("::1"), "::1 by 10.0.0.5"),
            (Some("somebody"), "10.0.0.5"),
        ] {
            let builder = named.into_iter().fold(Request::builder(), |builder, named| builder.header(PEER, named));
            let mut request = builder.body(Body::empty()).expect("a request");
            request.extensions_mut().insert(arrived.clone());
            assert_eq!(Peer::of(&request).to_string(), told);
        }
    }
}
