//! Which events there are, which service sends each, and under which name.

use std::fmt;

use uuid::Uuid;

use crate::{alerting, assessment, intake, platform, scheduling};

/// A service that sends and receives events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Takes in what is reported.
    Intake,
    /// Evaluates it against the protocol.
    Assessment,
    /// Plans the next visit.
    Scheduling,
    /// Pages people.
    Alerting,
}

impl Service {
    /// Every service, in the order of the way of a submission.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Assessment, Self::Scheduling, Self::Alerting];

    /// The name in subjects, commands and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Assessment => "assessment",
            Self::Scheduling => "scheduling",
            Self::Alerting => "alerting",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How urgently an event travels. Bulk (imports, re-evaluation) never delays live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// One report at a time, as it happens.
    Live,
    /// Many at once, in their own stream.
    Bulk,
}

/// A message with a sender, a name and an episode.
pub trait Event: prost::Message + Default + 'static {
    /// The event's name in its subject, for example `submission-accepted`.
    const NAME: &'static str;
    /// The event's full type name, for example `lasegue.intake.v1.SubmissionAccepted`.
    const TYPE: &'static str;
    /// The one service that sends it, or none when every service may.
    const SENDER: Option<Service>;

    /// The episode the event speaks of.
    fn episode_id(&self) -> &str;
}

/// The most bytes that an event may have, its headers aside. Every transport takes these, and every event fits by what its
/// sender accepts: a test has the largest of each.
pub const MAX_BYTES: usize = 768 << 10;

/// The subject of event `name` about `episode`: `lasegue.<service>.v1.<event>.<episode>`, with `bulk.` before the
/// event's name on the bulk lane.
pub fn subject(sender: Service, lane: Lane, name: &str, episode: Uuid) -> String {
    match lane {
        Lane::Live => format!("lasegue.{sender}.v1.{name}.{episode}"),
        Lane::Bulk => format!("lasegue.{sender}.v1.bulk.{name}.{episode}"),
    }
}

/// Whether `service` may send an event of this type on `subject`: on a subject of its own with the event's name, and what
/// nobody else sends. A type that this version does not know is nobody's: who reads it says that it cannot be understood.
pub fn may_send(service: Service, event_type: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.').skip(1);
    let own = tokens.next() == Some(service.name());
    let known = EVENTS.iter().find(|(known, ..)| *known == event_type);
    own && known.is_none_or(|(_, name, sender)| {
        sender.is_none_or(|sender| sender == service) && tokens.any(|token| token == *name)
    })
}

/// The episode that a subject ends with, if it is one of ours.
pub fn episode_of_subject(subject: &str) -> Option<Uuid> {
    subject.starts_with("lasegue.").then(|| subject.rsplit('.').next())?.and_then(|last| last.parse().ok())
}

macro_rules! events {
    ($($module:ident :: $message:ident, $package:literal, $sender:expr, $name:literal;)*) => {
        $(impl Event for $module::$message {
            const NAME: &'static str = $name;
            const TYPE: &'static str = concat!("lasegue.", $package, ".v1.", stringify!($message));
            const SENDER: Option<Service> = $sender;

            fn episode_id(&self) -> &str {
                &self.episode_id
            }
        })*

        /// The names of all events, by type.
        pub const NAMES: &[(&str, &str)] = &[$((concat!("lasegue.", $package, ".v1.", stringify!($message)), $name)),*];

        /// The type, the name and the one sender of each event; none when every service may send it.
        const EVENTS: &[(&str, &str, Option<Service>)] =
            &[$((concat!("lasegue.", $package, ".v1.", stringify!($message)), $name, $sender)),*];
    };
}

events! {
    intake::EpisodeRegistered, "intake", Some(Service::Intake), "episode-registered";
    intake::EpisodeUpdated, "intake", Some(Service::Intake), "episode-updated";
    intake::SubmissionAccepted, "intake", Some(Service::Intake), "submission-accepted";
    intake::AdjudicationRecorded, "intake", Some(Service::Intake), "adjudication-recorded";
    intake::RecordImported, "intake", Some(Service::Intake), "record-imported";
    intake::SubmissionRefused, "intake", Some(Service::Intake), "submission-refused";
    intake::RefusalCorrected, "intake", Some(Service::Intake), "refusal-corrected";
    assessment::RedFlagRaised, "assessment", Some(Service::Assessment), "red-flag-raised";
    assessment::AssessmentCompleted, "assessment", Some(Service::Assessment), "assessment-completed";
    scheduling::VisitPlanned, "scheduling", Some(Service::Scheduling), "visit-planned";
    scheduling::VisitDue, "scheduling", Some(Service::Scheduling), "visit-due";
    scheduling::VisitOverdue, "scheduling", Some(Service::Scheduling), "visit-overdue";
    alerting::AlertOpened, "alerting", Some(Service::Alerting), "alert-opened";
    alerting::AlertAccepted, "alerting", Some(Service::Alerting), "alert-accepted";
    alerting::AlertEscalated, "alerting", Some(Service::Alerting), "alert-escalated";
    alerting::PageDelivered, "alerting", Some(Service::Alerting), "page-delivered";
    alerting::PageFailed, "alerting", Some(Service::Alerting), "page-failed";
    alerting::FindingDisposed, "alerting", Some(Service::Alerting), "finding-disposed";
    platform::MessageDeadLettered, "platform", None, "message-dead-lettered";
    platform::EventsHeldUp, "platform", None, "events-held-up";
}

/// The events that travel on the bulk lane alone.
pub const BULK_ONLY: &[&str] = &[intake::RecordImported::NAME];

#[cfg(test)]
mod tests {
    use super::*;

    const EPISODE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

    #[test]
    fn a_subject_names_service_version_event_and_episode() {
        assert_eq!(
            subject(Service::Intake, Lane::Live, intake::SubmissionAccepted::NAME, EPISODE),
            "lasegue.intake.v1.submission-accepted.01980000-0000-7000-8000-000000000001"
        );
    }

    #[test]
    fn the_episode_is_read_back_from_the_subject_on_both_lanes() {
        for lane in [Lane::Live, Lane::Bulk] {
            assert_eq!(episode_of_subject(&subject(Service::Alerting, lane, "alert-opened", EPISODE)), Some(EPISODE));
        }
        assert_eq!(episode_of_subject("lasegue.intake.v1.submission-accepted.nobody"), None);
        assert_eq!(episode_of_subject(&format!("other.{EPISODE}")), None);
    }

    #[test]
    fn a_service_may_send_its_own_events_under_their_names_and_no_others() {
        let of = |sender, name| subject(sender, Lane::Live, name, EPISODE);
        let (flag, overdue) = (assessment::RedFlagRaised::TYPE, scheduling::VisitOverdue::TYPE);
        assert!(may_send(Service::Assessment, flag, &of(Service::Assessment, "red-flag-raised")));
        assert!(may_send(
            Service::Assessment,
            flag,
            &subject(Service::Assessment, Lane::Bulk, "red-flag-raised", EPISODE)
        ));
        assert!(!may_send(Service::Scheduling, flag, &of(Service::Assessment, "red-flag-raised")), "another's subject");
        assert!(!may_send(Service::Scheduling, flag, &of(Service::Scheduling, "red-flag-raised")), "another's event");
        assert!(!may_send(Service::Scheduling, overdue, &of(Service::Scheduling, "visit-due")), "another name");
        for service in Service::ALL {
            let letter = platform::MessageDeadLettered::TYPE;
            assert!(may_send(service, letter, &of(service, "message-dead-lettered")), "everybody has those");
            assert!(may_send(service, "lasegue.later.v1.Event", &of(service, "event")), "it is not known yet");
        }
    }

    #[test]
    fn no_two_events_share_a_name() {
        let mut names: Vec<_> = NAMES.iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }
}
