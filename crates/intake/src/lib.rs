//! Takes in episodes, submissions and adjudications, and refuses what is faulty without hiding a red flag in it.
//!
//! What was answered with 2xx is committed together with its event. Contact data and the senders' own ids stay in this
//! service's database.

mod adjudicate;
mod body;
mod change;
mod contact;
mod document;
mod effects;
mod error;
mod fields;
mod forget;
mod future;
mod http;
mod import;
mod json;
mod messages;
mod migrations;
mod refuse;
mod register;
mod room;
mod store;
mod submit;

use lasegue_contracts::Service;
use lasegue_platform::Base;
use lasegue_platform::http::Routes;
use lasegue_platform::store::StoreError;

pub use crate::migrations::MIGRATIONS;

/// Opens the database and gives the routes.
///
/// # Errors
/// When the database cannot be opened; the error says what to do.
pub async fn start(base: &Base) -> Result<Routes, StoreError> {
    let store = base.open_store(Service::Intake, MIGRATIONS).await?;
    forget::start(base, &store).await?;
    Ok(http::routes(&store))
}
