//! Signed events: on a transport that others can reach each event carries its sender's signature, and a receiver takes
//! only what a service that may send it has signed.
//!
//! Each service has a key of its own; its private half is in that service's folder of secrets alone, the public halves
//! are known to all. A row of the outbox is signed whenever it leaves, so that a new key needs no new rows. In one process
//! nothing is signed: its events never leave its memory, and whoever could forge one there has the keys as well.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lasegue_contracts::envelope::header;
use lasegue_contracts::topology::Consumer;
use lasegue_contracts::{Envelope, EnvelopeError, Service};

use crate::bus::{BusError, Message};
use crate::keys::{KeyId, SigningKey, VerifyingKey};

/// The file with the public halves of all services.
pub const PUBLIC_FILE: &str = "event-keys";

/// The file with the private half of `service`.
pub fn private_file(service: Service) -> String {
    format!("event-{service}.key")
}

/// Why the keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventKeysError {
    /// A line is none.
    #[error("line {0} of {PUBLIC_FILE} is none: it has to be a service's name and its public key")]
    Line(usize),
    /// A service has no public half.
    #[error("{PUBLIC_FILE} has no key of {0}: add the line of its public key")]
    Missing(Service),
    /// A service signs with a key that nobody would know.
    #[error(
        "{PUBLIC_FILE} does not have the key that {0} signs with: add the line \"{0} {1}\" in the folder of each service"
    )]
    Unknown(Service, VerifyingKey),
}

/// Why a message is not taken. Trying again cannot help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// It has not the headers of an event.
    #[error("it is no event")]
    NoEvent(#[from] EnvelopeError),
    /// It has none.
    #[error("it carries no signature")]
    Unsigned,
    /// It names a key of nobody.
    #[error("{PUBLIC_FILE} does not have the key that it names")]
    UnknownKey,
    /// It was signed by a service that does not send such events.
    #[error("it names the key of {0}, which may not send it")]
    NotSender(Service),
    /// Somebody else made it, or changed it.
    #[error("its signature is not that of {0}")]
    WrongSignature(Service),
}

/// The public halves of all services. A service may have several, so that its key can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicKeys(Vec<(Service, VerifyingKey)>);

impl FromIterator<(Service, VerifyingKey)> for PublicKeys {
    fn from_iter<I: IntoIterator<Item = (Service, VerifyingKey)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// A line for each: the service's name and its key.
impl fmt::Display for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(service, key)| writeln!(f, "{service} {key}"))
    }
}

impl FromStr for PublicKeys {
    type Err = EventKeysError;

    fn from_str(text: &str) -> Result<Self, EventKeysError> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(index, line)| entry(line).ok_or(EventKeysError::Line(index + 1))).collect()
    }
}

fn entry(line: &str) -> Option<(Service, VerifyingKey)> {
    let (name, key) = line.trim().split_once(' ')?;
    let service = Service::ALL.into_iter().find(|service| service.name() == name)?;
    Some((service, key.trim().parse().ok()?))
}

/// What a process signs and verifies events with.
#[derive(Debug, Default)]
pub struct EventKeys {
    own: BTreeMap<Service, SigningKey>,
    known: HashMap<String, (Service, VerifyingKey)>,
}

impl EventKeys {
    /// The private halves of this process's services, and the public ones of all.
    ///
    /// # Errors
    /// When a service has no public half, or not that of its private one.
    pub fn new(own: BTreeMap<Service, SigningKey>, known: &PublicKeys) -> Result<Self, EventKeysError> {
        let missing = Service::ALL.into_iter().find(|service| !known.0.iter().any(|(of, _)| of == service));
        missing.map_or(Ok(()), |service| Err(EventKeysError::Missing(service)))?;
        for (service, key) in &own {
            let public = key.verifying();
            if !known.0.contains(&(*service, public)) {
                return Err(EventKeysError::Unknown(*service, public));
            }
        }
        let by_id = known.0.iter().map(|(service, key)| (key.id().as_str().to_owned(), (*service, *key)));
        Ok(Self { own, known: by_id.collect() })
    }

    /// The event as it travels, signed by its sender.
    ///
    /// # Errors
    /// When the sender is no service of this process.
    pub fn sign(&self, envelope: &Envelope) -> Result<Message, BusError> {
        let key = self.own.iter().find(|(service, _)| service.name() == envelope.source).map(|(_, key)| key);
        let key = key.ok_or_else(|| BusError::Refused(format!("this process has no key of {}", envelope.source)))?;
        let signature = URL_SAFE_NO_PAD.encode(key.sign(&envelope.signed_bytes()));
        let mut message = Message::from(envelope);
        message.headers.push((header::KEY.to_owned(), key.id().to_string()));
        message.headers.push((header::SIGNATURE.to_owned(), signature));
        Ok(message)
    }

    /// Whether it knows nobody: events of this process never leave it.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The id of the key that `service` signs with, when it is one of this process.
    pub fn key_of(&self, service: Service) -> Option<KeyId> {
        self.own.get(&service).map(SigningKey::id)
    }

    /// The signature of `service` over `bytes`, which are no event's, and the id of its key; likewise.
    pub fn sign_bytes(&self, service: Service, bytes: &[u8]) -> Option<(KeyId, Vec<u8>)> {
        self.own.get(&service).map(|key| (key.id(), key.sign(bytes).to_vec()))
    }

    /// Whether `signature` is that of `service` over `bytes`, with its key of the id `key`.
    pub fn has_signed(&self, service: Service, key: &str, bytes: &[u8], signature: &[u8]) -> bool {
        self.known.get(key).is_some_and(|(of, key)| *of == service && key.verifies(bytes, signature))
    }

    /// Whether a service that may send it to `consumer` has signed `message`.
    ///
    /// # Errors
    /// When none has, and why.
    pub fn verify(&self, consumer: &Consumer, message: &Message) -> Result<(), Forged> {
        let signature = message.header(header::SIGNATURE).ok_or(Forged::Unsigned)?;
        let key = message.header(header::KEY).ok_or(Forged::Unsigned)?;
        let (service, key) = self.known.get(key).ok_or(Forged::UnknownKey)?;
        let envelope = message.envelope()?;
        let theirs = envelope.source == service.name();
        if !theirs || !consumer.takes_from(*service, &envelope.event_type, &envelope.subject) {
            return Err(Forged::NotSender(*service));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        if key.verifies(&envelope.signed_bytes(), &signature) { Ok(()) } else { Err(Forged::WrongSignature(*service)) }
    }
}

#[cfg(test)]
mod tests {
    use lasegue_contracts::event::{self, Lane};
    use lasegue_contracts::topology::{ALERTING_DEAD_LETTERS, ALERTING_RED_FLAGS, ALERTING_VISITS};
    use uuid::Uuid;

    use super::*;
    use crate::random::SystemRandom;

    /// The keys of one process each: every service's own, all public halves.
    fn keys() -> BTreeMap<Service, EventKeys> {
        let own: Vec<_> = Service::ALL.map(|service| (service, SigningKey::generate(&SystemRandom))).into();
        let known = own.iter().map(|(service, key)| (*service, key.verifying())).collect();
        let keys = own
            .into_iter()
            .map(|(service, key)| (service, EventKeys::new([(service, key)].into(), &known).expect("each is known")));
        keys.collect()
    }

    fn red_flag(source: Service) -> Envelope {
        Envelope {
            id: Uuid::from_u128(1),
            event_type: "lasegue.assessment.v1.RedFlagRaised".to_owned(),
            subject: event::subject(Service::Assessment, Lane::Live, "red-flag-raised", Uuid::from_u128(2)),
            source: source.name().to_owned(),
            time: "2026-01-21T09:00:00Z".to_owned(),
            trace_parent: String::new(),
            payload: vec![1, 2, 3].into(),
        }
    }

    fn with(message: &Message, name: &str, value: &str) -> Message {
        let headers = message.headers.iter().filter(|(known, _)| known != name).cloned();
        Message { headers: headers.chain([(name.to_owned(), value.to_owned())]).collect(), ..message.clone() }
    }

    #[test]
    fn what_its_sender_signed_is_taken_and_nothing_that_was_changed_since() {
        let keys = keys();
        let signed = keys[&Service::Assessment].sign(&red_flag(Service::Assessment)).expect("it is its own");
        let verify = |message: &Message| keys[&Service::Alerting].verify(&ALERTING_RED_FLAGS, message);
        assert_eq!(verify(&signed), Ok(()));
        assert_eq!(verify(&Message::from(&red_flag(Service::Assessment))), Err(Forged::Unsigned));
        let wrong = Err(Forged::WrongSignature(Service::Assessment));
        assert_eq!(verify(&Message { payload: vec![1].into(), ..signed.clone() }), wrong);
        let elsewhere = event::subject(Service::Assessment, Lane::Live, "red-flag-raised", Uuid::from_u128(3));
        assert_eq!(verify(&Message { subject: elsewhere, ..signed.clone() }), wrong, "another patient's");
        for (name, value) in [
            (header::ID, Uuid::nil().to_string().as_str()),
            (header::TIME, "2027-01-01T00:00:00Z"),
            (header::SIGNATURE, "é"),
        ] {
            assert_eq!(verify(&with(&signed, name, value)), wrong, "{name}");
        }
        assert_eq!(verify(&with(&signed, header::KEY, "nobody")), Err(Forged::UnknownKey));
    }

    #[test]
    fn a_service_signs_for_no_other_and_nothing_that_it_may_not_send() {
        let keys = keys();
        let scheduling = &keys[&Service::Scheduling];
        assert!(scheduling.sign(&red_flag(Service::Assessment)).is_err(), "it has no such key");
        let verify = |message: &Message| keys[&Service::Alerting].verify(&ALERTING_RED_FLAGS, message);
        let not_sender = Err(Forged::NotSender(Service::Scheduling));
        let forged = scheduling.sign(&red_flag(Service::Scheduling)).expect("it signs what it likes");
        assert_eq!(verify(&forged), not_sender);
        assert_eq!(verify(&with(&forged, header::SOURCE, "/lasegue/assessment")), not_sender);
        let name = forged.header(header::KEY).expect("it was signed").to_owned();
        let signed = keys[&Service::Assessment].sign(&red_flag(Service::Assessment)).expect("it is its own");
        assert_eq!(verify(&with(&signed, header::KEY, &name)), not_sender);
    }

    #[test]
    fn what_was_signed_for_one_reader_is_not_for_another() {
        let keys = keys();
        let signed = keys[&Service::Assessment].sign(&red_flag(Service::Assessment)).expect("it is its own");
        for consumer in [&ALERTING_VISITS, &ALERTING_DEAD_LETTERS] {
            let refusal = keys[&Service::Alerting].verify(consumer, &signed);
            assert_eq!(refusal, Err(Forged::NotSender(Service::Assessment)), "{}", consumer.name);
        }
    }

    #[test]
    fn the_public_halves_are_read_as_they_are_written_and_a_service_may_have_two() {
        let key = || SigningKey::generate(&SystemRandom).verifying();
        let services = Service::ALL.into_iter().chain([Service::Intake]);
        let public: PublicKeys = services.map(|service| (service, key())).collect();
        assert_eq!(public.to_string().parse(), Ok(public.clone()));
        assert_eq!(format!("\n{public}\n").parse(), Ok(public));
        assert_eq!("intake x".parse::<PublicKeys>(), Err(EventKeysError::Line(1)));
        assert_eq!(format!("\nnobody {}", key()).parse::<PublicKeys>(), Err(EventKeysError::Line(2)));
    }

    #[test]
    fn keys_that_nobody_would_believe_are_refused_with_what_to_do() {
        let public: PublicKeys = Service::ALL
            .map(|service| (service, SigningKey::generate(&SystemRandom).verifying()))
            .into_iter()
            .collect();
        let other = SigningKey::generate(&SystemRandom);
        let line = format!("add the line \"intake {}\"", other.verifying());
        let refusal = EventKeys::new([(Service::Intake, other)].into(), &public).expect_err("it is not known");
        assert!(refusal.to_string().contains(&line), "{refusal}");
        let none = EventKeys::new(BTreeMap::new(), &PublicKeys::default()).expect_err("nobody is known");
        assert_eq!(none, EventKeysError::Missing(Service::Intake));
    }
}
