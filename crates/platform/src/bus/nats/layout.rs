//! How streams and durables are configured, and the sentence for one that is configured otherwise.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, IntoConsumerConfig, pull};
use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use lasegue_contracts::topology::{Consumer, STREAMS, Stream};
use serde::Serialize;
use serde_json::{Map, Value};

use super::NatsConfig;
use crate::bus::BusError;

/// How long a stream keeps an event: shorter than the inbox remembers, so that nothing can have its effect twice.
const MAX_AGE: Duration = Duration::from_hours(24 * 7);
/// How long a stream recognises an event that is published again: longer than what the relay publishes again after a
/// new connection, so that it reaches nobody unless the server lost it.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(5);
/// The same where receipts are asked for: an event whose receipt was lost is delivered again this soon.
const DUPLICATE_WINDOW_WITH_RECEIPTS: Duration = Duration::from_secs(30);
/// The largest event.
const MAX_MESSAGE_BYTES: i32 = 1 << 20;
/// A delivery that was neither answered nor reported as under way comes again after this time.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(5);
/// Deliveries of one durable that may be unanswered, over all replicas.
const MAX_UNANSWERED: i64 = 2_048;
/// Requests for deliveries of one durable that may be open: the server's own default.
const MAX_WAITING: i64 = 512;

pub(super) fn stream(stream: &Stream, config: &NatsConfig) -> stream::Config {
    stream::Config {
        name: stream.name.to_owned(),
        subjects: stream.subjects.iter().map(|subject| (*subject).to_owned()).collect(),
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas: config.replicas,
        max_age: MAX_AGE,
        max_bytes: config.max_stream_bytes,
        max_message_size: MAX_MESSAGE_BYTES,
        duplicate_window: if stream.receipts { DUPLICATE_WINDOW_WITH_RECEIPTS } else { DUPLICATE_WINDOW },
        ..Default::default()
    }
}

pub(super) fn durable(consumer: &Consumer, replicas: usize) -> pull::Config {
    let filters: Vec<_> = consumer.filters.iter().map(|filter| (*filter).to_owned()).collect();
    let (filter_subject, filter_subjects) = match <[String; 1]>::try_from(filters) {
        Ok([only]) => (only, Vec::new()),
        Err(several) => (String::new(), several),
    };
    pull::Config {
        name: Some(consumer.name.to_owned()),
        durable_name: Some(consumer.name.to_owned()),
        filter_subject,
        filter_subjects,
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_deliver: -1,
        max_ack_pending: MAX_UNANSWERED,
        max_waiting: MAX_WAITING,
        num_replicas: replicas,
        ..Default::default()
    }
}

/// The sentence for a server that has not the room that the streams are promised.
pub(super) fn too_little_room(error: &CreateStreamError, config: &NatsConfig) -> Option<BusError> {
    let CreateStreamErrorKind::JetStream(told) = error.kind() else { return None };
    (told.error_code() == ErrorCode::STORAGE_RESOURCES_EXCEEDED).then(|| {
        let all = config.max_stream_bytes.saturating_mul(i64::try_from(STREAMS.len()).unwrap_or(i64::MAX));
        BusError::Misconfigured(format!(
            "the NATS server has too little room: {} streams may hold {} each, {} together. Give its store_dir a larger disk, or set max_file_store (NATS takes three quarters of what is free), or lower max_stream_bytes under [nats]",
            STREAMS.len(), mebibytes(config.max_stream_bytes), mebibytes(all)
        ))
    })
}

fn mebibytes(bytes: i64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Refuses a stream that is configured otherwise: `found` is the server's whole configuration of it, with what this version
/// does not know (copies elsewhere, sources, mirrors, transforms).
pub(super) fn check_stream(wanted: &stream::Config, found: &Value) -> Result<(), BusError> {
    refuse(&format!("stream {}", wanted.name), &differences(wanted, found)?)
}

/// The same of a durable.
pub(super) fn check_durable(consumer: &Consumer, replicas: usize, found: &Value) -> Result<(), BusError> {
    let wanted = durable(consumer, replicas).into_consumer_config();
    refuse(&format!("durable {}", consumer.name), &differences(&wanted, found)?)
}

fn refuse(what: &str, differences: &[String]) -> Result<(), BusError> {
    if differences.is_empty() {
        return Ok(());
    }
    let differences = differences.join("; ");
    Err(BusError::Misconfigured(format!(
        "the {what} on the NATS server is configured otherwise than asked ({differences}), and nobody uses it so: end the services and NATS, remove the folder `jetstream` in NATS's store_dir and start all again (docs/operations.md has the commands); nothing is lost, the outboxes publish again what was not handled"
    )))
}

/// What differs between two configurations, whatever either of them has: an entry that is missing is one that says nothing.
fn differences(wanted: &impl Serialize, found: &Value) -> Result<Vec<String>, BusError> {
    let wanted = serde_json::to_value(wanted).map_err(|error| BusError::Refused(crate::chain(&error)))?;
    let names: BTreeSet<_> = [&wanted, found].into_iter().filter_map(Value::as_object).flat_map(Map::keys).collect();
    let differs = |name: &&String| {
        let (wanted, found) = (&wanted[name.as_str()], &found[name.as_str()]);
        wanted != found && !(says_nothing(name, wanted) && says_nothing(name, found))
    };
    let differing = names.into_iter().filter(differs);
    Ok(differing.map(|name| format!("{name} is {}, wanted {}", found[name.as_str()], wanted[name.as_str()])).collect())
}

/// Whether this is how the server or its client writes that an entry is not set. The server's own notes on what it made are
/// nothing, too.
fn says_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => matches!(number.as_i64(), Some(0 | -1)),
        Value::String(text) => text.is_empty() || text == "none",
        Value::Array(list) => list.is_empty(),
        Value::Object(entries) => {
            entries.keys().all(|key| name == "metadata" && key.starts_with("_nats.")) || entries.is_empty()
        }
        Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lasegue_contracts::Service;
    use lasegue_contracts::topology::{ALERTING_RED_FLAGS, ASSESSMENT_INTAKE, RED_FLAGS};
    use serde_json::json;

    use super::*;
    use crate::keys::SigningKey;
    use crate::random::SystemRandom;
    use crate::signed::EventKeys;

    fn event_keys() -> Arc<EventKeys> {
        let public = Service::ALL.map(|service| (service, SigningKey::generate(&SystemRandom).verifying()));
        Arc::new(EventKeys::new([].into(), &public.into_iter().collect()).expect("nobody signs"))
    }

    fn red_flags() -> stream::Config {
        stream(&RED_FLAGS, &NatsConfig::single("nats://localhost", event_keys()))
    }

    #[test]
    fn a_stream_as_asked_is_taken_and_any_other_is_refused_with_what_differs() {
        let found = serde_json::to_value(red_flags()).expect("it is written");
        assert_eq!(check_stream(&red_flags(), &found), Ok(()));
        let old = stream::Config { discard: DiscardPolicy::Old, ..red_flags() };
        let old = serde_json::to_value(old).expect("it is written");
        let refusal = check_stream(&red_flags(), &old).expect_err("it discards the old").to_string();
        assert!(refusal.contains("RED_FLAGS") && refusal.contains("discard is \"old\", wanted \"new\""), "{refusal}");
        assert!(refusal.contains("remove the folder `jetstream` in NATS's store_dir"), "{refusal}");
    }

    #[test]
    fn what_is_compared_is_whatever_the_server_has_and_what_it_adds_by_itself_is_nothing() {
        let found = |name: &str, value: Value| {
            let mut found = serde_json::to_value(red_flags()).expect("it is written");
            found[name] = value;
            check_stream(&red_flags(), &found).map_err(|error| error.to_string())
        };
        for (name, value) in [
            ("max_msgs", json!(-1)),
            ("consumer_limits", json!({})),
            ("compression", json!("none")),
            ("metadata", json!({ "_nats.level": "1" })),
            ("of_a_later_version", json!(false)),
        ] {
            assert_eq!(found(name, value), Ok(()), "{name}");
        }
        for (name, value) in [
            ("republish", json!({ "src": ">", "dest": "lasegue.intake.v1.x" })),
            ("sources", json!([{ "name": "VISITS" }])),
            ("mirror", json!({ "name": "VISITS" })),
            ("subject_transform", json!({ "src": ">", "dest": "x" })),
            ("max_msgs", json!(1)),
            ("sealed", json!(true)),
            ("metadata", json!({ "ours": "1" })),
            ("of_a_later_version", json!(true)),
        ] {
            assert!(found(name, value).is_err_and(|refusal| refusal.contains(name)), "{name}");
        }
    }

    #[test]
    fn the_documentation_tells_how_much_room_the_streams_are_promised() {
        let page = include_str!("../../../../../docs/operations.md");
        let room = (STREAMS.len() * 4).div_ceil(3);
        assert!(page.contains(&format!("each of its {} streams", STREAMS.len())), "{}", STREAMS.len());
        assert!(page.contains(&format!("it needs {room} GiB free")), "{room}");
    }

    #[test]
    fn one_filter_and_several_are_asked_for_in_their_own_fields() {
        assert!(durable(&ALERTING_RED_FLAGS, 1).filter_subjects.is_empty());
        assert!(durable(&ASSESSMENT_INTAKE, 1).filter_subject.is_empty());
        assert_eq!(durable(&ASSESSMENT_INTAKE, 1).filter_subjects.len(), ASSESSMENT_INTAKE.filters.len());
    }
}
