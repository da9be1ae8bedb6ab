//! Every stream and every durable consumer, in one table. Nothing else names a stream.

use crate::event::{self, Lane, Service};

/// A stream: events of one sender that are kept together and read by the same consumers.
#[derive(Debug, PartialEq, Eq)]
pub struct Stream {
    /// The stream's name, upper case.
    pub name: &'static str,
    /// The service that creates the stream and alone publishes to it; none when every service publishes to it.
    pub owner: Option<Service>,
    /// The subjects it takes, with `*` for one token.
    pub subjects: &'static [&'static str],
    /// Whether an event is published again until its one reader has told the sender of its commit.
    pub receipts: bool,
}

/// A durable consumer, shared by all replicas of its service.
#[derive(Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The durable's name.
    pub name: &'static str,
    /// The service that reads it.
    pub owner: Service,
    /// The stream it reads.
    pub stream: &'static Stream,
    /// The subjects of that stream it takes.
    pub filters: &'static [&'static str],
    /// How many of its messages may be under way at once in one replica.
    pub in_flight: usize,
}

macro_rules! topology {
    (
        streams { $($stream:ident: $owner:expr, receipts $receipts:literal, [$($subject:literal),+];)+ }
        consumers { $($consumer:ident = $name:literal: $reader:ident reads $from:ident [$($filter:literal),+] at most $in_flight:literal;)+ }
    ) => {
        $(
            #[doc = concat!("The stream of `", $($subject, "` ",)+ ".")]
            pub static $stream: Stream = Stream { name: stringify!($stream), owner: $owner, subjects: &[$($subject),+], receipts: $receipts };
        )+
        $(
            #[doc = concat!("The durable `", $name, "`.")]
            pub static $consumer: Consumer = Consumer {
                name: $name,
                owner: Service::$reader,
                stream: &$from,
                filters: &[$($filter),+],
                in_flight: $in_flight,
            };
        )+

        /// Every stream.
        pub static STREAMS: &[&Stream] = &[$(&$stream),+];

        /// Every durable consumer.
        pub static CONSUMERS: &[&Consumer] = &[$(&$consumer),+];
    };
}

topology! {
    streams {
        RED_FLAGS: Some(Service::Assessment), receipts true, ["lasegue.assessment.v1.red-flag-raised.*"];
        REFUSALS: Some(Service::Intake), receipts true, ["lasegue.intake.v1.submission-refused.*", "lasegue.intake.v1.refusal-corrected.*"];
        INTAKE: Some(Service::Intake), receipts false, [
            "lasegue.intake.v1.episode-registered.*",
            "lasegue.intake.v1.episode-updated.*",
            "lasegue.intake.v1.submission-accepted.*",
            "lasegue.intake.v1.adjudication-recorded.*"
        ];
        INTAKE_BULK: Some(Service::Intake), receipts false, ["lasegue.intake.v1.bulk.*.*"];
        ASSESSMENTS: Some(Service::Assessment), receipts false, ["lasegue.assessment.v1.assessment-completed.*"];
        ASSESSMENTS_BULK: Some(Service::Assessment), receipts false, ["lasegue.assessment.v1.bulk.*.*"];
        DISPOSITIONS: Some(Service::Alerting), receipts false, ["lasegue.alerting.v1.finding-disposed.*"];
        VISITS: Some(Service::Scheduling), receipts false, [
            "lasegue.scheduling.v1.visit-planned.*",
            "lasegue.scheduling.v1.visit-due.*",
            "lasegue.scheduling.v1.visit-overdue.*"
        ];
        ALERTS: Some(Service::Alerting), receipts false, [
            "lasegue.alerting.v1.alert-opened.*",
            "lasegue.alerting.v1.alert-accepted.*",
            "lasegue.alerting.v1.alert-escalated.*",
            "lasegue.alerting.v1.page-delivered.*",
            "lasegue.alerting.v1.page-failed.*"
        ];
        DEAD_LETTERS: None, receipts false, ["lasegue.*.v1.message-dead-lettered.*"];
        TROUBLES: None, receipts false, ["lasegue.*.v1.events-held-up.*"];
    }
    consumers {
        ALERTING_RED_FLAGS = "alerting-red-flags": Alerting reads RED_FLAGS ["lasegue.assessment.v1.red-flag-raised.*"] at most 64;
        ALERTING_REFUSALS = "alerting-refusals": Alerting reads REFUSALS
            ["lasegue.intake.v1.submission-refused.*", "lasegue.intake.v1.refusal-corrected.*"] at most 16;
        ALERTING_RED_FLAGS_BULK = "alerting-red-flags-bulk": Alerting reads ASSESSMENTS_BULK
            ["lasegue.assessment.v1.bulk.red-flag-raised.*"] at most 4;
        ALERTING_VISITS = "alerting-visits": Alerting reads VISITS ["lasegue.scheduling.v1.visit-overdue.*"] at most 8;
        ALERTING_DEAD_LETTERS = "alerting-dead-letters": Alerting reads DEAD_LETTERS ["lasegue.*.v1.message-dead-lettered.*"] at most 4;
        ALERTING_TROUBLES = "alerting-troubles": Alerting reads TROUBLES ["lasegue.*.v1.events-held-up.*"] at most 4;
        ASSESSMENT_INTAKE = "assessment-intake": Assessment reads INTAKE [
            "lasegue.intake.v1.episode-registered.*",
            "lasegue.intake.v1.episode-updated.*",
            "lasegue.intake.v1.submission-accepted.*",
            "lasegue.intake.v1.adjudication-recorded.*"
        ] at most 64;
        ASSESSMENT_INTAKE_BULK = "assessment-intake-bulk": Assessment reads INTAKE_BULK ["lasegue.intake.v1.bulk.*.*"] at most 16;
        ASSESSMENT_DISPOSITIONS = "assessment-dispositions": Assessment reads DISPOSITIONS
            ["lasegue.alerting.v1.finding-disposed.*"] at most 16;
        SCHEDULING_ASSESSMENTS = "scheduling-assessments": Scheduling reads ASSESSMENTS
            ["lasegue.assessment.v1.assessment-completed.*"] at most 32;
        SCHEDULING_ASSESSMENTS_BULK = "scheduling-assessments-bulk": Scheduling reads ASSESSMENTS_BULK
            ["lasegue.assessment.v1.bulk.assessment-completed.*"] at most 16;
    }
}

impl Stream {
    /// The streams that `service` publishes to.
    pub fn published_by(service: Service) -> impl Iterator<Item = &'static Self> {
        STREAMS.iter().copied().filter(move |stream| stream.owner.is_none_or(|owner| owner == service))
    }

    /// The service that makes it, and lets go of what was read when it is full: its owner, or the reader of one that every
    /// service publishes to.
    pub fn keeper(&self) -> Option<Service> {
        let reader = || CONSUMERS.iter().find(|consumer| consumer.stream == self).map(|consumer| consumer.owner);
        self.owner.or_else(reader)
    }

    /// The stream that takes `subject`.
    pub fn of(subject: &str) -> Option<&'static Self> {
        STREAMS.iter().copied().find(|stream| stream.subjects.iter().any(|pattern| matches(pattern, subject)))
    }
}

impl Consumer {
    /// The one durable reader of `subject`; none when nobody reads it.
    pub fn of(subject: &str) -> Option<&'static Self> {
        CONSUMERS.iter().copied().find(|consumer| consumer.takes(subject))
    }

    /// The readers of what `service` publishes.
    pub fn of_sender(service: Service) -> impl Iterator<Item = &'static Self> {
        CONSUMERS.iter().copied().filter(move |consumer| consumer.stream.owner.is_none_or(|owner| owner == service))
    }

    /// Whether this consumer takes an event of this type from `sender` on `subject`.
    pub fn takes_from(&self, sender: Service, event_type: &str, subject: &str) -> bool {
        let owns = self.stream.owner.is_none_or(|owner| owner == sender);
        owns && self.takes(subject) && event::may_send(sender, event_type, subject)
    }

    /// The lane of what it takes.
    pub fn lane(&self) -> Lane {
        let bulk = self.filters.iter().all(|filter| filter.split('.').nth(3) == Some("bulk"));
        if bulk { Lane::Bulk } else { Lane::Live }
    }

    /// Whether this consumer takes `subject`.
    pub fn takes(&self, subject: &str) -> bool {
        self.filters.iter().any(|filter| matches(filter, subject))
    }
}

/// Whether a subject fits a pattern in which `*` stands for one token.
fn matches(pattern: &str, subject: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('.'), subject.split('.'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(left), Some(right)) if left == right => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::event::Lane;

    fn senders(event_type: &str) -> Vec<Service> {
        Service::ALL
            .into_iter()
            .filter(|service| {
                event_type.starts_with(&format!("lasegue.{service}.")) || event_type.starts_with("lasegue.platform.")
            })
            .collect()
    }

    #[test]
    fn every_event_has_exactly_one_stream_which_its_sender_owns() {
        for (event_type, name) in event::NAMES {
            for sender in senders(event_type) {
                let lane = if event::BULK_ONLY.contains(name) { Lane::Bulk } else { Lane::Live };
                let subject = event::subject(sender, lane, name, Uuid::nil());
                let takers: Vec<_> = STREAMS
                    .iter()
                    .filter(|stream| stream.subjects.iter().any(|pattern| matches(pattern, &subject)))
                    .collect();
                assert_eq!(takers.len(), 1, "{subject} is taken by {takers:?}");
                assert!(takers[0].owner.is_none_or(|owner| owner == sender), "{subject} goes to {takers:?}");
            }
        }
    }

    #[test]
    fn the_bulk_lane_has_streams_of_its_own() {
        for (sender, name) in [(Service::Intake, "submission-accepted"), (Service::Assessment, "red-flag-raised")] {
            let live = Stream::of(&event::subject(sender, Lane::Live, name, Uuid::nil()));
            let bulk = Stream::of(&event::subject(sender, Lane::Bulk, name, Uuid::nil()));
            assert!(live.is_some() && bulk.is_some() && live != bulk);
        }
    }

    #[test]
    fn a_consumer_takes_only_subjects_of_its_stream() {
        for consumer in CONSUMERS {
            for filter in consumer.filters {
                assert_eq!(
                    Stream::of(&filter.replace('*', "x")).map(|stream| stream.name),
                    Some(consumer.stream.name),
                    "{filter}"
                );
            }
        }
    }

    #[test]
    fn a_consumer_takes_one_lane() {
        for consumer in CONSUMERS {
            let bulk = consumer.filters.iter().filter(|filter| filter.contains(".bulk.")).count();
            let expected = if consumer.lane() == Lane::Bulk { consumer.filters.len() } else { 0 };
            assert_eq!(bulk, expected, "{}", consumer.name);
        }
        assert_eq!([ASSESSMENT_INTAKE.lane(), ASSESSMENT_INTAKE_BULK.lane()], [Lane::Live, Lane::Bulk]);
    }

    #[test]
    fn a_stream_that_asks_for_receipts_has_one_reader_to_give_them() {
        for stream in STREAMS.iter().filter(|stream| stream.receipts) {
            assert_eq!(CONSUMERS.iter().filter(|consumer| consumer.stream == *stream).count(), 1, "{}", stream.name);
        }
        assert!(RED_FLAGS.receipts);
    }

    #[test]
    fn an_event_has_one_durable_reader_at_most_who_proves_that_it_was_handled() {
        for (event_type, name) in event::NAMES {
            for (sender, lane) in
                senders(event_type).into_iter().flat_map(|sender| [(sender, Lane::Live), (sender, Lane::Bulk)])
            {
                let subject = event::subject(sender, lane, name, Uuid::nil());
                let readers = CONSUMERS.iter().filter(|consumer| consumer.takes(&subject)).count();
                assert!(readers <= 1, "{subject} has {readers} readers");
            }
        }
    }

    #[test]
    fn every_stream_is_kept_by_one_service() {
        for stream in STREAMS {
            assert_eq!(stream.keeper(), stream.owner.or(Some(Service::Alerting)), "{}", stream.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> =
            CONSUMERS.iter().map(|consumer| consumer.name).chain(STREAMS.iter().map(|stream| stream.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CONSUMERS.len() + STREAMS.len());
    }
}
