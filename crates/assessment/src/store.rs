//! Assessment's tables as sea-orm sees them.

pub(crate) mod activations;
pub(crate) mod episodes;
pub(crate) mod pieces;
pub(crate) mod protocols;
pub(crate) mod results;

use lasegue_contracts::Service;
use lasegue_platform::store::StoreError;
use sea_orm::JsonValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as its column keeps it.
pub(crate) fn to_json(value: &impl Serialize) -> Result<JsonValue, StoreError> {
    serde_json::to_value(value).map_err(|error| corrupt(error.to_string()))
}

/// A value back from its column.
pub(crate) fn from_json<T: DeserializeOwned>(json: &JsonValue) -> Result<T, StoreError> {
    T::deserialize(json).map_err(|error| corrupt(error.to_string()))
}

/// What is or would be in the database cannot be read.
pub(crate) const fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt { service: Service::Assessment, what }
}
