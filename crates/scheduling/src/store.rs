//! Scheduling's tables as sea-orm sees them.

pub(crate) mod past_plans;
pub(crate) mod plans;

use lasegue_contracts::Service;
use lasegue_platform::store::StoreError;

/// What is or would be in the database cannot be read.
pub(crate) const fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt { service: Service::Scheduling, what }
}
