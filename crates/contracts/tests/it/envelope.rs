//! The headers around an event, and how damage to them is told.

use bytes::Bytes;
use lasegue_contracts::envelope::header;
use lasegue_contracts::event::{self, Lane};
use lasegue_contracts::scheduling::{VisitDue, VisitOverdue};
use lasegue_contracts::{Envelope, EnvelopeError, Event, Service};
use prost::Message;
use uuid::Uuid;

const EPISODE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

fn envelope() -> Envelope {
    let event = VisitDue { episode_id: EPISODE.to_string(), revision: 7, kind: "six-week".to_owned(), at: None };
    Envelope {
        id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0009),
        event_type: VisitDue::TYPE.to_owned(),
        subject: event::subject(Service::Scheduling, Lane::Live, VisitDue::NAME, EPISODE),
        source: "scheduling".to_owned(),
        time: "2026-01-21T09:00:00.123456Z".to_owned(),
        trace_parent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        payload: event.encode_to_vec().into(),
    }
}

fn reread(headers: &[(&'static str, String)]) -> Result<Envelope, EnvelopeError> {
    let original = envelope();
    let value = |name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    Envelope::from_parts(&original.subject, value, original.payload)
}

#[test]
fn the_headers_are_cloud_events_trace_context_and_the_transports_own() {
    let headers: Vec<_> = envelope().headers().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        headers,
        [
            "ce-specversion: 1.0",
            "ce-id: 01980000-0000-7000-8000-000000000009",
            "ce-type: lasegue.scheduling.v1.VisitDue",
            "ce-source: /lasegue/scheduling",
            "ce-time: 2026-01-21T09:00:00.123456Z",
            "content-type: application/protobuf",
            "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "Nats-Msg-Id: 01980000-0000-7000-8000-000000000009",
            "ce-subject: 01980000-0000-7000-8000-000000000001",
        ]
    );
}

#[test]
fn an_envelope_comes_back_from_its_headers() {
    assert_eq!(reread(&envelope().headers()), Ok(envelope()));
}

#[test]
fn a_missing_or_malformed_header_is_named() {
    for name in [header::ID, header::TYPE, header::SOURCE, header::TIME] {
        let headers: Vec<_> = envelope().headers().into_iter().filter(|(known, _)| *known != name).collect();
        assert_eq!(reread(&headers), Err(EnvelopeError::Header(name)));
    }
    let mut headers = envelope().headers();
    headers[1].1 = "not an id".to_owned();
    assert_eq!(reread(&headers), Err(EnvelopeError::Header(header::ID)));
}

#[test]
fn what_is_signed_changes_with_everything_that_a_receiver_reads() {
    let text = |text: &str| text.to_owned();
    let others = [
        Envelope { id: Uuid::nil(), ..envelope() },
        Envelope { event_type: text("x"), ..envelope() },
        Envelope { subject: text("x"), ..envelope() },
        Envelope { source: text("x"), ..envelope() },
        Envelope { time: text("x"), ..envelope() },
        Envelope { trace_parent: text("x"), ..envelope() },
        Envelope { payload: Bytes::new(), ..envelope() },
        Envelope {
            event_type: format!("{}x", envelope().event_type),
            subject: envelope().subject[1..].into(),
            ..envelope()
        },
    ];
    for other in others {
        assert_ne!(other.signed_bytes(), envelope().signed_bytes(), "{other:?}");
    }
    let reread = reread(&envelope().headers()).expect("the headers make one");
    assert_eq!(reread.signed_bytes(), envelope().signed_bytes(), "it is the same on both ends");
    assert!(envelope().signed_bytes().starts_with(b"lasegue event 1\n\0\0\0\0\0\0\0\x24"));
}

#[test]
fn an_envelope_opens_only_as_what_it_holds() {
    assert_eq!(envelope().open::<VisitDue>().map(|event| event.revision), Ok(7));
    let wrong = EnvelopeError::Type { expected: VisitOverdue::TYPE, found: VisitDue::TYPE.to_owned() };
    assert_eq!(envelope().open::<VisitOverdue>(), Err(wrong));
    let damaged = Envelope { payload: Bytes::from_static(&[0xff; 5]), ..envelope() };
    assert!(matches!(damaged.open::<VisitDue>(), Err(EnvelopeError::Payload(_))));
}

#[test]
fn its_debug_form_keeps_the_payload_to_itself() {
    let text = format!("{:?}", envelope());
    assert!(text.contains("VisitDue") && !text.contains("six-week"));
}
