//! An event as it is handed over: its subject, its headers and its bytes in one message, so that one proof covers all.

use std::collections::BTreeMap;

use lasegue_contracts::topology::Consumer;
use lasegue_contracts::{Envelope, Service};
use prost::Message as _;

use crate::bus::Message;

/// The body of the call.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Handed {
    #[prost(string, tag = "1")]
    subject: String,
    #[prost(btree_map = "string, string", tag = "2")]
    headers: BTreeMap<String, String>,
    #[prost(bytes = "bytes", tag = "3")]
    payload: bytes::Bytes,
}

pub(super) fn encode(message: Message) -> Vec<u8> {
    let Message { subject, headers, payload } = message;
    Handed { subject, headers: headers.into_iter().collect(), payload }.encode_to_vec()
}

pub(super) fn decode(body: &[u8]) -> Result<Message, prost::DecodeError> {
    let Handed { subject, headers, payload } = Handed::decode(body)?;
    Ok(Message { subject, headers: headers.into_iter().collect(), payload })
}

/// Whether `sender` may send this to `consumer`: its own event, of a kind that the consumer reads. Whether it has signed
/// it, the consumer sees.
pub(super) fn may_send(sender: Service, consumer: &Consumer, message: &Message) -> bool {
    let own = |envelope: &Envelope| {
        envelope.source == sender.name() && consumer.takes_from(sender, &envelope.event_type, &envelope.subject)
    };
    message.envelope().is_ok_and(|envelope| own(&envelope))
}

#[cfg(test)]
mod tests {
    use lasegue_contracts::event::{self, Lane};
    use lasegue_contracts::topology::{ALERTING_RED_FLAGS, ALERTING_VISITS};
    use uuid::Uuid;

    use super::*;

    fn envelope(sender: Service, name: &str) -> Envelope {
        Envelope {
            id: Uuid::from_u128(1),
            event_type: "lasegue.assessment.v1.RedFlagRaised".to_owned(),
            subject: event::subject(sender, Lane::Live, name, Uuid::from_u128(2)),
            source: sender.name().to_owned(),
            time: "2026-01-21T09:00:00Z".to_owned(),
            trace_parent: "00-1-2-01".to_owned(),
            payload: vec![1, 2, 3].into(),
        }
    }

    #[test]
    fn an_event_arrives_as_it_left() {
        let sent = envelope(Service::Assessment, "red-flag-raised");
        let arrived = decode(&encode(Message::from(&sent))).expect("it is one");
        assert_eq!(arrived.envelope(), Ok(sent));
    }

    #[test]
    fn a_service_hands_over_its_own_events_to_those_who_read_them_and_nothing_else() {
        let red_flag = Message::from(&envelope(Service::Assessment, "red-flag-raised"));
        assert!(may_send(Service::Assessment, &ALERTING_RED_FLAGS, &red_flag));
        assert!(!may_send(Service::Scheduling, &ALERTING_RED_FLAGS, &red_flag));
        assert!(!may_send(Service::Assessment, &ALERTING_VISITS, &red_flag));
        let forged =
            Message { subject: red_flag.subject.clone(), ..Message::from(&envelope(Service::Scheduling, "x")) };
        assert!(!may_send(Service::Assessment, &ALERTING_RED_FLAGS, &forged));
    }
}
