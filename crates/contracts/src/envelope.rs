//! What surrounds an event on the wire: `CloudEvents` attributes and trace context in headers, protobuf bytes as the body.

use std::fmt;

use bytes::Bytes;
use uuid::Uuid;

use crate::event::Event;

/// The headers' names. `Nats-Msg-Id` lets the transport drop what it has seen already.
pub mod header {
    /// The version of `CloudEvents`, always `1.0`.
    pub const SPEC_VERSION: &str = "ce-specversion";
    /// The event's id: a UUID, the same in every delivery.
    pub const ID: &str = "ce-id";
    /// The full type name of the payload.
    pub const TYPE: &str = "ce-type";
    /// The sending service, as `/lasegue/<service>`.
    pub const SOURCE: &str = "ce-source";
    /// The episode's id.
    pub const SUBJECT: &str = "ce-subject";
    /// When the event was committed, RFC 3339 in UTC.
    pub const TIME: &str = "ce-time";
    /// Always `application/protobuf`.
    pub const CONTENT_TYPE: &str = "content-type";
    /// W3C trace context.
    pub const TRACE_PARENT: &str = "traceparent";
    /// The transport's own de-duplication key: the event's id.
    pub const MESSAGE_ID: &str = "Nats-Msg-Id";
    /// The id of the key that the sender has signed with.
    pub const KEY: &str = "lasegue-key";
    /// The sender's signature over [`super::Envelope::signed_bytes`], Ed25519, base64url without padding.
    pub const SIGNATURE: &str = "lasegue-signature";
}

/// One event on its way.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The same in every delivery of this event.
    pub id: Uuid,
    /// The full type name of the payload.
    pub event_type: String,
    /// Where it travels: `lasegue.<service>.v1.<event>.<episode>`.
    pub subject: String,
    /// The sending service's name.
    pub source: String,
    /// RFC 3339, UTC.
    pub time: String,
    /// W3C trace context, `00-<trace>-<span>-<flags>`.
    pub trace_parent: String,
    /// The encoded event.
    pub payload: Bytes,
}

/// Why an envelope could not be opened. Trying again cannot help.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// A header is missing or malformed.
    #[error("the header {0} is missing or malformed")]
    Header(&'static str),
    /// The envelope holds another type.
    #[error("the event is a {found}, where a {expected} was expected")]
    Type {
        /// What the consumer takes.
        expected: &'static str,
        /// What the envelope says.
        found: String,
    },
    /// The payload is not what its type says.
    #[error("the payload cannot be decoded")]
    Payload(#[from] prost::DecodeError),
}

impl Envelope {
    /// The event inside.
    ///
    /// # Errors
    /// When the envelope holds another type or the bytes are not of it.
    pub fn open<E: Event>(&self) -> Result<E, EnvelopeError> {
        if self.event_type != E::TYPE {
            return Err(EnvelopeError::Type { expected: E::TYPE, found: self.event_type.clone() });
        }
        Ok(E::decode(self.payload.clone())?)
    }

    /// The headers, in a fixed order.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (header::SPEC_VERSION, "1.0".to_owned()),
            (header::ID, self.id.to_string()),
            (header::TYPE, self.event_type.clone()),
            (header::SOURCE, format!("/lasegue/{}", self.source)),
            (header::TIME, self.time.clone()),
            (header::CONTENT_TYPE, "application/protobuf".to_owned()),
            (header::TRACE_PARENT, self.trace_parent.clone()),
            (header::MESSAGE_ID, self.id.to_string()),
        ];
        if let Some(episode) = crate::event::episode_of_subject(&self.subject) {
            headers.push((header::SUBJECT, episode.to_string()));
        }
        headers
    }

    /// What its sender signs: all that a receiver reads of it, each part behind its length, so that no two envelopes are
    /// signed alike.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let id = self.id.to_string();
        let texts = [&id, &self.event_type, &self.subject, &self.source, &self.time, &self.trace_parent];
        let parts = texts.into_iter().map(String::as_bytes).chain([&*self.payload]);
        parts.fold(b"lasegue event 1\n".to_vec(), |mut bytes, part| {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
            bytes
        })
    }

    /// Puts an envelope together from what arrived.
    ///
    /// # Errors
    /// When a header that every event carries is missing or malformed.
    pub fn from_parts<'a>(
        subject: &str,
        header_value: impl Fn(&'static str) -> Option<&'a str>,
        payload: Bytes,
    ) -> Result<Self, EnvelopeError> {
        let required = |name| header_value(name).ok_or(EnvelopeError::Header(name));
        let source = required(header::SOURCE)?;
        Ok(Self {
            id: required(header::ID)?.parse().map_err(|_| EnvelopeError::Header(header::ID))?,
            event_type: required(header::TYPE)?.to_owned(),
            subject: subject.to_owned(),
            source: source.strip_prefix("/lasegue/").ok_or(EnvelopeError::Header(header::SOURCE))?.to_owned(),
            time: required(header::TIME)?.to_owned(),
            trace_parent: header_value(header::TRACE_PARENT).unwrap_or_default().to_owned(),
            payload,
        })
    }
}

/// Without the payload, which holds clinical facts.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("subject", &self.subject)
            .field("bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}
