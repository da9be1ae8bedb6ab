//! Assessment's routes.

mod protocols;
mod results;
mod reviews;

use lasegue_platform::http::{Problem, Routes};
use lasegue_platform::store::{Store, StoreError};

use crate::protocols::Protocols;

pub(crate) fn routes(store: &Store, protocols: Protocols) -> Routes {
    results::routes(store.clone(), protocols)
        .merge(protocols::routes(store.clone()))
        .merge(reviews::routes(store.clone()))
}

/// The store failed: the cause goes to the log, not to the caller.
fn failed(error: impl Into<StoreError>) -> Problem {
    let error = error.into();
    tracing::error!(error = &error as &dyn std::error::Error, "assessment's database failed");
    Problem::internal()
}
