//! Instants and ids between Rust and the wire.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use uuid::Uuid;

/// A field of an event that its type allows but its meaning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event's field `{0}` is missing or malformed")]
pub struct WireError(pub &'static str);

impl From<WireError> for crate::consume::HandlerError {
    fn from(error: WireError) -> Self {
        Self::give_up(error)
    }
}

/// An instant for the wire.
pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: at.timestamp_subsec_nanos().try_into().unwrap_or_default() }
}

/// An instant from the wire; `field` names it when it is missing or out of range.
///
/// # Errors
/// When there is none, or none that a calendar knows.
pub fn instant(field: &'static str, at: Option<&Timestamp>) -> Result<DateTime<Utc>, WireError> {
    let at = at.ok_or(WireError(field))?;
    let nanos = at.nanos.try_into().map_err(|_| WireError(field))?;
    DateTime::from_timestamp(at.seconds, nanos).ok_or(WireError(field))
}

/// An instant from a header, RFC 3339; `field` names it when it is malformed.
///
/// # Errors
/// When the text is no instant.
pub fn time(field: &'static str, text: &str) -> Result<DateTime<Utc>, WireError> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(|_| WireError(field))
}

/// An id from the wire; `field` names it when it is none.
///
/// # Errors
/// When the text is no UUID.
pub fn id(field: &'static str, text: &str) -> Result<Uuid, WireError> {
    text.parse().map_err(|_| WireError(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_comes_back_as_it_went() {
        let at = DateTime::from_timestamp(1_790_000_000, 123_456_000).expect("a date in 2026");
        assert_eq!(instant("at", Some(&timestamp(at))), Ok(at));
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        assert_eq!(instant("at", None), Err(WireError("at")));
        assert_eq!(instant("at", Some(&Timestamp { seconds: i64::MAX, nanos: 0 })), Err(WireError("at")));
        assert_eq!(time("time", "yesterday"), Err(WireError("time")));
        assert_eq!(id("episode_id", "12"), Err(WireError("episode_id")));
    }
}
