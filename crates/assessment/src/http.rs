//! Assessment's routes.

mod protocols;
mod results;
mod reviews;

use lasegue_platform::http::{Routes, dead_letters};
use lasegue_platform::store::Store;

use crate::protocols::Protocols;

pub(crate) fn routes(store: &Store, protocols: Protocols) -> Routes {
    results::routes(store.clone(), protocols)
        .merge(protocols::routes(store.clone()))
        .merge(reviews::routes(store.clone()))
        .merge(dead_letters::routes(store))
        .audited(store)
}
