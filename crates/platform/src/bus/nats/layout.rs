//! How streams and durables are configured, and the sentence for one that is configured otherwise.

use std::fmt::Debug;
use std::time::Duration;

use async_nats::jetstream::consumer::{self, AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use lasegue_contracts::topology::{Consumer, Stream};

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
        durable_name: Some(consumer.name.to_owned()),
        filter_subject,
        filter_subjects,
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_deliver: -1,
        max_ack_pending: MAX_UNANSWERED,
        num_replicas: replicas,
        ..Default::default()
    }
}

pub(super) fn check_stream(wanted: &stream::Config, found: &stream::Config) -> Result<(), BusError> {
    let mut differs = Differences::default();
    differs.note("subjects", &wanted.subjects, &found.subjects);
    differs.note("retention", &wanted.retention, &found.retention);
    differs.note("discard", &wanted.discard, &found.discard);
    differs.note("storage", &wanted.storage, &found.storage);
    differs.note("replicas", &wanted.num_replicas, &found.num_replicas);
    differs.note("max age", &wanted.max_age, &found.max_age);
    differs.note("max bytes", &wanted.max_bytes, &found.max_bytes);
    differs.note("max message size", &wanted.max_message_size, &found.max_message_size);
    differs.note("duplicate window", &wanted.duplicate_window, &found.duplicate_window);
    differs.into_result(&format!("stream {}", wanted.name), &format!("nats stream edit {}", wanted.name))
}

pub(super) fn check_durable(consumer: &Consumer, replicas: usize, found: &consumer::Config) -> Result<(), BusError> {
    let wanted = durable(consumer, replicas);
    let mut differs = Differences::default();
    differs.note("filter", &wanted.filter_subject, &found.filter_subject);
    differs.note("filters", &wanted.filter_subjects, &found.filter_subjects);
    differs.note("deliver policy", &wanted.deliver_policy, &found.deliver_policy);
    differs.note("ack policy", &wanted.ack_policy, &found.ack_policy);
    differs.note("ack wait", &wanted.ack_wait, &found.ack_wait);
    differs.note("max deliver", &wanted.max_deliver, &found.max_deliver);
    differs.note("max ack pending", &wanted.max_ack_pending, &found.max_ack_pending);
    differs.into_result(
        &format!("durable {}", consumer.name),
        &format!("nats consumer rm {} {}", consumer.stream.name, consumer.name),
    )
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn note<T: PartialEq + Debug>(&mut self, name: &str, wanted: &T, found: &T) {
        if wanted != found {
            self.0.push(format!("{name} is {found:?}, wanted {wanted:?}"));
        }
    }

    fn into_result(self, what: &str, command: &str) -> Result<(), BusError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let differences = self.0.join("; ");
        Err(BusError::Misconfigured(format!(
            "the {what} on the NATS server is configured otherwise than asked ({differences}): correct it with `{command}` and start again; nothing is lost, the outbox publishes again"
        )))
    }
}

#[cfg(test)]
mod tests {
    use lasegue_contracts::topology::{ALERTING_RED_FLAGS, ASSESSMENT_INTAKE, RED_FLAGS};

    use super::*;

    #[test]
    fn a_stream_as_asked_is_taken_and_any_other_is_refused_with_what_differs() {
        let wanted = stream(&RED_FLAGS, &NatsConfig::single("nats://localhost"));
        assert_eq!(check_stream(&wanted, &wanted), Ok(()));
        let found = stream::Config { discard: DiscardPolicy::Old, ..wanted.clone() };
        let refusal = check_stream(&wanted, &found).expect_err("it discards the old").to_string();
        assert!(refusal.contains("RED_FLAGS") && refusal.contains("discard is Old, wanted New"), "{refusal}");
        assert!(refusal.contains("nats stream edit RED_FLAGS"), "{refusal}");
    }

    #[test]
    fn one_filter_and_several_are_asked_for_in_their_own_fields() {
        assert!(durable(&ALERTING_RED_FLAGS, 1).filter_subjects.is_empty());
        assert!(durable(&ASSESSMENT_INTAKE, 1).filter_subject.is_empty());
        assert_eq!(durable(&ASSESSMENT_INTAKE, 1).filter_subjects.len(), ASSESSMENT_INTAKE.filters.len());
    }
}
